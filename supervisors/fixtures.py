"""Fixtures for tests of programs on this runtime; pytest finds them by itself, as a plugin.

They are asynchronous, so pytest-trio runs them: in tests marked ``trio``, or with ``trio_mode``.
The functions that go with them are in ``runtime.testing``. With ``virtual_time = true`` in the
settings of pytest all async tests run in virtual time and in an order of tasks that can be
repeated.
"""

from __future__ import annotations

import inspect
import random
from collections import Counter
from collections.abc import AsyncGenerator, Generator, Hashable
from contextlib import AsyncExitStack
from typing import Protocol

import pytest

from runtime import ChildSpec, Node, Pid, Ref, open_node
from runtime._trio import seed_schedule
from runtime.crash_reasons import leaves
from runtime.handle import as_ref
from runtime.testing import LeakError, no_leaks, remember_deaths, run_in_virtual_time
from supervisors.children import ChildSource, to_spec
from supervisors.errors import ChildNotFound
from supervisors.open_supervisor import open_supervisor
from supervisors.supervisor_ref import SupervisorRef

MARKERS = (
    "leaves_processes: the test may leave processes running, and the node stops them",
    "real_clock: not in virtual time: for tests with sockets, threads or signals",
)

# The last two are run by other plugins, which have their own clocks.
NOT_IN_VIRTUAL_TIME = ("real_clock", "anyio", "asyncio")

# What pytest-trio raises instead of setting up a fixture, and what is raised here.
REFUSALS = (RuntimeError, pytest.fail.Exception)

# A child may crash as often as a test could mean it to; one that does nothing else ends the test.
# Both are told apart by number alone: in virtual time a thousand crashes may be one moment.
MAX_RESTARTS = 1000
MAX_SECONDS = 3600.0


class StartSupervised:
    """Starts children for a test, and stops them with it: what the fixture gives.

    The children stand under a supervisor of the test's own, ``one_for_one``, and are restarted as
    their specs say. When the test is over they are stopped, the last started first. ExUnit:
    ``start_supervised!``.
    """

    def __init__(self, supervisor: SupervisorRef) -> None:
        self.supervisor = supervisor
        self._ids: dict[Hashable, Hashable] = {}  # by pid, and by name
        self._wanted: Counter[Hashable] = Counter()

    async def __call__(self, child: ChildSource) -> Ref:
        """Start ``child`` and return its handle, once it is up.

        Raises what ``start_child`` raises: ``StartFailed``, ``Ignored``, ``AlreadyStarted`` if the
        name is taken. Any number may have the same id: the second has ``(id, 2)``. Cancelling ends
        the start.
        """
        if not (isinstance(child, ChildSpec) or callable(child)):
            raise TypeError(
                f"child: got {child!r}, allowed are a ChildSpec such as Counter.child_spec(10), "
                "a GenServer class and an async function"
            )
        spec = self._with_its_own_id(to_spec(child))
        handle = await self.supervisor.start_child(spec)
        self._ids[handle.pid] = self._ids[spec.name or handle.pid] = spec.id
        return handle

    async def stop(self, handle: str | Pid | Ref) -> None:
        """Stop and forget a child: by the handle that was returned, by its pid or its name.

        Also if it was restarted meanwhile. ``ChildNotFound`` if there is none. Cancelling gives up
        the wait; asked again, it goes on. ExUnit: ``stop_supervised!``.
        """
        child_id = await self._id_of(handle)
        await self.supervisor.terminate_child(child_id)
        try:
            await self.supervisor.delete_child(child_id)
        except ChildNotFound:
            pass  # a temporary one, forgotten with its end

    def _with_its_own_id(self, spec: ChildSpec) -> ChildSpec:
        """An id that no child before it had: who is gone must not be taken for who came after."""
        wanted = spec.id
        self._wanted[wanted] += 1
        number = self._wanted[wanted]
        return spec if number == 1 else spec.replace(id=(wanted, number))

    async def _id_of(self, handle: str | Pid | Ref) -> Hashable:
        target = as_ref(handle, "handle")
        key = target.incarnation or target.name or target
        if key in self._ids:
            return self._ids[key]
        pid = target.whereis()
        for child in await self.supervisor.which_children():
            if pid is not None and child.pid is pid:
                return child.id
        raise ChildNotFound(handle)


@pytest.fixture
async def node(request: pytest.FixtureRequest) -> AsyncGenerator[Node]:
    """An open node for the test. It fails with ``LeakError`` if processes are left at its end."""
    async with AsyncExitStack() as stack:
        opened = await stack.enter_async_context(open_node())
        stack.enter_context(remember_deaths())
        if request.node.get_closest_marker("leaves_processes") is None:
            await stack.enter_async_context(no_leaks())
        yield opened


@pytest.fixture
async def start_supervised(node: Node) -> AsyncGenerator[StartSupervised]:
    """Starts children for the length of the test: see ``StartSupervised``."""
    async with open_supervisor([], max_restarts=MAX_RESTARTS, max_seconds=MAX_SECONDS) as root:
        yield StartSupervised(root)


# ---------------------------------------------------------------------- the plugin


def pytest_addoption(parser: pytest.Parser) -> None:
    """The setting ``virtual_time`` and the option ``--trio-schedule``."""
    parser.addini(
        "virtual_time", "run async tests in virtual time, in a repeatable order", type="bool"
    )
    parser.addoption(
        "--trio-schedule",
        type=int,
        metavar="SEED",
        help="the order in which Trio runs tasks that are ready at once: "
        "with virtual_time another one in each run",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Make the markers known, and choose the order of tasks."""
    for marker in MARKERS:
        config.addinivalue_line("markers", marker)
    if config.getini("virtual_time") and config.option.trio_schedule is None:
        told: dict[str, int] = getattr(config, "workerinput", {})
        seed = told.get("trio_schedule", random.randrange(1_000_000))
        config.option.trio_schedule = seed


class XdistWorker(Protocol):
    """A process of pytest-xdist that runs some of the tests, seen from where it is started."""

    config: pytest.Config
    workerinput: dict[str, object]


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: XdistWorker) -> None:
    """All workers of pytest-xdist take the order of tasks that is printed."""
    node.workerinput["trio_schedule"] = node.config.option.trio_schedule


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Say the seed, so that whatever fails can be repeated."""
    seed = config.option.trio_schedule
    return [] if seed is None else [f"schedule: {seed}"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say it again where failures are read."""
    seed = terminalreporter.config.option.trio_schedule
    if seed is not None and terminalreporter.stats.get("failed"):
        terminalreporter.write_line(f"the order of tasks is repeated with --trio-schedule {seed}")


@pytest.hookimpl(tryfirst=True)  # of two markers pytest-trio takes the first, and sets its own
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With ``virtual_time`` async tests run in it, unless they are marked for another clock."""
    if not (config.getini("virtual_time") and _is_trio_installed(config)):
        return
    for item in items:
        if inspect.iscoroutinefunction(getattr(item, "function", None)) and not (
            any(map(item.get_closest_marker, NOT_IN_VIRTUAL_TIME))
        ):
            item.add_marker(pytest.mark.trio(run=run_in_virtual_time))


def pytest_runtest_call(item: pytest.Item) -> None:
    """Each test has an order of its own, the same whether it runs alone or with others."""
    seed = item.config.option.trio_schedule
    if seed is not None:
        seed_schedule(f"{seed} {item.nodeid}")


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[object], request: pytest.FixtureRequest
) -> Generator[None, object, object]:
    """A test that cannot have the fixtures is told so; here, so that ``getfixturevalue`` is too.

    What a plugin raises is noted, as pytest notes what a fixture raises: without that every later
    test that asks for the same fixture would fail as well.
    """
    __tracebackhide__ = True
    try:
        if getattr(fixturedef.func, "__module__", None) == __name__:
            _check_run_by_trio(request.node)
        return (yield)
    except REFUSALS as exc:
        if fixturedef.cached_result is None:
            fixturedef.cached_result = (None, getattr(request, "param", None), (exc, None))
        raise


def _check_run_by_trio(item: pytest.Item) -> None:
    """Or by anyio's plugin, which runs the async fixtures of whatever asks for its backend."""
    __tracebackhide__ = True
    installed = _is_trio_installed(item.config)
    by_trio = installed and item.get_closest_marker("trio") is not None
    if by_trio or "anyio_backend" in getattr(item, "fixturenames", ()):
        return
    if not _is_async(item):
        todo = "write `async def`"
    elif not installed:
        todo = "pip install pytest-trio"
    else:
        todo = "set `trio_mode = true` for pytest, or mark the test `@pytest.mark.trio`"
    pytest.fail(
        "the fixtures `node` and `start_supervised` are for async tests, run by pytest-trio: "
        f"{todo}",
        pytrace=False,
    )


def _is_trio_installed(config: pytest.Config) -> bool:
    return any(map(config.pluginmanager.has_plugin, ("trio", "pytest_trio.plugin")))


def _is_async(item: pytest.Item) -> bool:
    """Also under Hypothesis, which packs the function in."""
    function = getattr(item, "function", None)
    hypothesis = getattr(function, "hypothesis", None)
    return inspect.iscoroutinefunction(getattr(hypothesis, "inner_test", function))


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """An async test that has failed need not hear as well what it could not stop any more.

    And ctrl-C ends the run, whatever pytest-trio has packed it into.
    """
    __tracebackhide__ = True
    try:
        return (yield)
    except BaseExceptionGroup as group:
        if pyfuncitem.get_closest_marker("trio") is None:
            raise
        failed = _to_be_told(group)
    raise failed  # out here, or the group would be its context, in the place of its own


def _to_be_told(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """What is left of a group; its parts stay as they are."""
    for one in leaves(group):
        if isinstance(one, KeyboardInterrupt):
            return one
    news = [one for one in leaves(group) if not isinstance(one, LeakError)]
    if len(news) == 1 and isinstance(news[0], pytest.xfail.Exception | pytest.skip.Exception):
        return news[0]
    others = [one for one in group.exceptions if not _is_leak(one)]
    if len(others) == len(group.exceptions):
        return group
    if others:
        return others[0] if len(others) == 1 else group.derive(others)
    leaks = [one.with_traceback(None) for one in leaves(group)]  # where it looked is no news
    return leaks[0] if len(leaks) == 1 else group.derive(leaks)


def _is_leak(error: BaseException) -> bool:
    """A ``LeakError``, or a group of nothing else."""
    return all(isinstance(one, LeakError) for one in leaves(error))
