"""Fixtures for tests of programs on this runtime; pytest finds them by itself, as a plugin.

They are asynchronous, so pytest-trio runs them: in tests marked ``trio``, or with ``trio_mode``.
The functions that go with them are in ``runtime.testing``.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Hashable
from contextlib import AsyncExitStack
from typing import cast

import pytest

from runtime import Node, Ref, open_node
from runtime.testing import LeakError, no_leaks, remember_deaths
from supervisors.children import ChildSource, to_spec
from supervisors.errors import ChildNotFound
from supervisors.open_supervisor import open_supervisor
from supervisors.supervisor_ref import SupervisorRef

MARKER = "leaves_processes: the test may leave processes running, and the node stops them"

# A child may crash as often as the test likes; one that does nothing else ends the test.
MAX_RESTARTS = 1000
MAX_SECONDS = 1.0


class StartSupervised:
    """Starts children for a test, and stops them with it: what the fixture gives.

    The children stand under a supervisor of the test's own, ``one_for_one``, and are restarted as
    their specs say. When the test is over they are stopped, the last started first. ExUnit:
    ``start_supervised!``.
    """

    def __init__(self, supervisor: SupervisorRef) -> None:
        self.supervisor = supervisor
        self._ids: dict[Ref, Hashable] = {}

    async def __call__(self, child: ChildSource) -> Ref:
        """Start ``child`` and return its handle, once it is up.

        Raises what ``start_child`` raises: ``StartFailed``, ``Ignored``, ``AlreadyStarted`` if the
        name is taken. Any number may have the same id.
        """
        spec = to_spec(child)
        taken = {one.id for one in await self.supervisor.which_children()}
        if spec.id in taken:
            spec = spec.replace(id=(spec.id, len(taken)))
        handle = await self.supervisor.start_child(spec)
        self._ids[handle] = spec.id
        return handle

    async def stop(self, handle: Ref) -> None:
        """Stop and forget the child that was returned as ``handle``, also if it was restarted.

        ``ChildNotFound`` if there is none. ExUnit: ``stop_supervised!``.
        """
        if handle not in self._ids:
            raise ChildNotFound(handle)
        child_id = self._ids.pop(handle)
        await self.supervisor.terminate_child(child_id)
        await self.supervisor.delete_child(child_id)


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


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", MARKER)


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """A test that has failed need not hear as well what it could not stop any more."""
    try:
        return (yield)
    except BaseExceptionGroup as failed:
        _, others = failed.split(LeakError)
        if others is None or others is failed:
            raise
        raise _alone(others) from None


def _alone(error: BaseException) -> BaseException:
    """The one exception of a group of one."""
    if not isinstance(error, BaseExceptionGroup):
        return error
    group = cast("BaseExceptionGroup[BaseException]", error)
    return _alone(group.exceptions[0]) if len(group.exceptions) == 1 else group
