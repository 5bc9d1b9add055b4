"""What OpenTelemetry's SDK gets of a node."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import trio
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    Histogram,
    Metric,
    Sum,
)
from trio.testing import wait_all_tasks_blocked

from runtime import (
    CallExit,
    LoopStalled,
    MailboxLimit,
    Node,
    ProcessExit,
    add_instrument,
    kill,
    named,
    open_node,
    remove_instrument,
    send,
    spawn,
    start,
    wait_exit,
)
from runtime.telemetry.opentelemetry import OpenTelemetry
from supervisors import (
    DynamicSupervisor,
    DynamicSupervisorRef,
    MaxChildren,
    RateLimiter,
    RateLimiterRef,
    Supervisor,
)
from tests.runtime.exporting import Exported, Figures, of
from tests.runtime.telling import Echo, Later, Oracle, Refuse
from tests.support import Scripted, stop_all

ROOT = Path(__file__).parents[2]


@pytest.fixture
def exported() -> Exported:
    """A provider of this test's own."""
    return Exported()


@pytest.fixture
async def told(node: Node, exported: Exported) -> OpenTelemetry:
    """The instrument, which hears the node."""
    instrument = OpenTelemetry(exported.provider)
    add_instrument(instrument)
    return instrument


async def sleeper() -> None:
    await trio.sleep_forever()


# ---------------------------------------------------------------------- gauges


async def test_processes_and_mailboxes_are_counted_when_they_are_read(
    told: OpenTelemetry, exported: Exported
) -> None:
    assert exported.metrics() == {}
    pids = [spawn(sleeper), spawn(sleeper)]
    for pid, messages in zip(pids, (2, 5), strict=True):
        for number in range(messages):
            send(pid, number)
    (oracle,) = [await Oracle.start()]
    assert exported.figures("trio_otp.process.count") == {
        of(behaviour="sleeper"): 2,
        of(behaviour="Oracle"): 1,
    }
    assert exported.figures("trio_otp.mailbox.message.count") == {
        of(behaviour="sleeper"): 7,
        of(behaviour="Oracle"): 0,
    }
    assert exported.figures("trio_otp.mailbox.message.max") == {
        of(behaviour="sleeper"): 5,
        of(behaviour="Oracle"): 0,
    }
    await stop_all(oracle, *pids)
    assert exported.figures("trio_otp.process.count") == {}


async def test_a_node_that_has_ended_or_does_not_tell_any_more_is_not_counted(
    exported: Exported,
) -> None:
    instrument = OpenTelemetry(exported.provider)
    for _ in range(2):
        async with open_node(instruments=[instrument]):
            spawn(sleeper)
            assert exported.figures("trio_otp.process.count") == {of(behaviour="sleeper"): 1}
            assert remove_instrument(instrument)
            assert exported.figures("trio_otp.process.count") == {}
            add_instrument(instrument)
            assert exported.figures("trio_otp.process.count") == {of(behaviour="sleeper"): 1}
        assert exported.figures("trio_otp.process.count") == {}


@pytest.mark.real_clock
async def test_several_nodes_are_added_up(node: Node, exported: Exported) -> None:
    instrument = OpenTelemetry(exported.provider)
    add_instrument(instrument)
    pid = spawn(sleeper)
    send(pid, 1)

    async def another_run() -> tuple[Figures, Figures]:
        async with open_node(instruments=[instrument]):
            other = spawn(sleeper)
            spawn(trio.sleep_forever)
            send(other, 1)
            send(other, 2)
            return (
                exported.figures("trio_otp.mailbox.message.count"),
                exported.figures("trio_otp.mailbox.message.max"),
            )
        raise AssertionError("a node swallows nothing")

    both = await trio.to_thread.run_sync(trio.run, another_run)
    assert both == (
        {of(behaviour="sleeper"): 3, of(behaviour="sleep_forever"): 0},
        {of(behaviour="sleeper"): 2, of(behaviour="sleep_forever"): 0},
    )
    await stop_all(pid)


# ---------------------------------------------------------------------- counters


@pytest.mark.parametrize(
    ("reason", "error_type"),
    [
        (ValueError("secret"), "ValueError"),
        (trio.TooSlowError(), "trio.TooSlowError"),
        (ProcessExit("disk full"), "str"),
    ],
)
async def test_crashes_are_counted_by_behaviour_and_class(
    told: OpenTelemetry, exported: Exported, reason: BaseException, error_type: str
) -> None:
    async def crasher() -> None:
        raise reason

    await wait_exit(spawn(crasher))
    await wait_exit(spawn(crasher))
    assert exported.figures("trio_otp.process.crashes") == {
        of(behaviour="crasher", error_type=error_type): 2
    }


async def test_a_kill_is_a_crash_and_a_normal_end_is_none(
    told: OpenTelemetry, exported: Exported
) -> None:
    await wait_exit(spawn(trio.lowlevel.checkpoint))
    assert exported.metrics() == {}
    pid = spawn(sleeper)
    kill(pid)
    await wait_exit(pid)
    assert exported.figures("trio_otp.process.crashes") == {
        of(behaviour="sleeper", error_type="Killed"): 1
    }


async def test_restarts_are_counted_and_other_ends_of_children_are_not(
    told: OpenTelemetry, exported: Exported
) -> None:
    children = [
        Scripted.child_spec().replace(id="a", name="a"),
        Oracle.child_spec().replace(id="b", name="b", restart="temporary"),
    ]
    tree = await start(Supervisor.child_spec(children, max_restarts=1))
    for name in ("a", "b", "a"):
        await wait_all_tasks_blocked()
        kill_by_name(name)
    await wait_exit(tree)
    assert exported.figures("trio_otp.supervisor.restarts") == {of(behaviour="Scripted"): 1}


def kill_by_name(name: str) -> None:
    kill(named(name))


async def test_refusals_are_counted_by_the_supervisor_if_it_has_a_name(
    told: OpenTelemetry, exported: Exported
) -> None:
    for name in ("rooms", None):
        spec = DynamicSupervisor.child_spec(max_children=0).replace(name=name)
        sup = DynamicSupervisorRef(await start(spec))
        with pytest.raises(MaxChildren):
            await sup.start_child(Oracle.child_spec())
    assert exported.figures("trio_otp.supervisor.refusals") == {
        of(supervisor_name="rooms"): 1,
        (): 1,
    }


async def test_drops_are_counted_by_behaviour(told: OpenTelemetry, exported: Exported) -> None:
    pid = spawn(sleeper, mailbox=MailboxLimit(1, policy="drop_newest"))
    for number in range(4):
        send(pid, number)
    assert exported.figures("trio_otp.mailbox.drops") == {of(behaviour="sleeper"): 3}
    await stop_all(pid)


async def test_stalls_are_counted_by_the_handler_if_it_is_known(
    node: Node, told: OpenTelemetry, exported: Exported
) -> None:
    for handler in ("Oracle.echo", None):
        node.instruments.emit(LoopStalled(0.2, None, None, handler, None, ""))
    assert exported.figures("trio_otp.loop.stalls") == {of(function="Oracle.echo"): 1, (): 1}


# ---------------------------------------------------------------------- histograms


async def test_calls_are_measured_by_request_and_what_came_of_them(
    told: OpenTelemetry, exported: Exported
) -> None:
    oracle = await Oracle.start()
    await oracle.call(Echo())
    await oracle.call(Later())
    await oracle.call(Later())
    with pytest.raises(ValueError, match=r"^no$"):
        await oracle.call(Refuse())
    await oracle.stop()
    with pytest.raises(CallExit):
        await oracle.call(Echo())
    name = "trio_otp.call.duration"
    assert exported.figures(name) == {
        of(request="Echo"): 0.0,
        of(request="Later"): 4.0,
        of(request="Refuse", error_type="error"): 0.0,
        of(request="Echo", error_type="exit"): 0.0,
    }
    (later,) = [one for one in exported.points(name) if one.sum]
    assert (later.count, later.min, later.max) == (2, 2.0, 2.0)
    assert later.explicit_bounds[0] == 0.000_01
    assert later.explicit_bounds[-1] == 10.0


async def test_waits_for_permits_are_measured_by_the_limiter(
    told: OpenTelemetry, exported: Exported
) -> None:
    spec = RateLimiter.child_spec(rate=1)
    limiter = RateLimiterRef(await start(spec.replace(name="api")))
    await limiter.acquire()
    await limiter.acquire()
    assert exported.figures("trio_otp.limiter.wait_time") == {of(limiter_name="api"): 1.0}
    assert [one.count for one in exported.points("trio_otp.limiter.wait_time")] == [2]


async def test_without_calls_a_call_is_not_even_told(node: Node, exported: Exported) -> None:
    add_instrument(OpenTelemetry(exported.provider, calls=False))
    oracle = await Oracle.start()
    await oracle.call(Echo())
    assert "trio_otp.call.duration" not in exported.metrics()
    assert "trio_otp.process.count" in exported.metrics()


# ---------------------------------------------------------------------- metrics as such

NAMES: dict[str, tuple[str, Callable[[Metric], bool]]] = {
    "trio_otp.process.count": ("{process}", lambda one: is_sum(one, only_up=False)),
    "trio_otp.mailbox.message.count": ("{message}", lambda one: is_sum(one, only_up=False)),
    "trio_otp.mailbox.message.max": ("{message}", lambda one: isinstance(one.data, Gauge)),
    "trio_otp.process.crashes": ("{crash}", lambda one: is_sum(one, only_up=True)),
    "trio_otp.supervisor.restarts": ("{restart}", lambda one: is_sum(one, only_up=True)),
    "trio_otp.supervisor.refusals": ("{refusal}", lambda one: is_sum(one, only_up=True)),
    "trio_otp.mailbox.drops": ("{message}", lambda one: is_sum(one, only_up=True)),
    "trio_otp.loop.stalls": ("{stall}", lambda one: is_sum(one, only_up=True)),
    "trio_otp.call.duration": ("s", lambda one: isinstance(one.data, Histogram)),
    "trio_otp.limiter.wait_time": ("s", lambda one: isinstance(one.data, Histogram)),
}


def is_sum(metric: Metric, *, only_up: bool) -> bool:
    """Whether it is a sum that can only grow, or one that can shrink too."""
    data = metric.data
    return (
        isinstance(data, Sum)
        and data.is_monotonic == only_up
        and data.aggregation_temporality == AggregationTemporality.CUMULATIVE
    )


async def test_these_are_all_metrics_with_their_units_and_kinds_and_the_page_names_them(
    node: Node, told: OpenTelemetry, exported: Exported
) -> None:
    async def everything() -> None:
        raise ValueError("meant")

    child = Scripted.child_spec().replace(name="child")
    tree = await start(Supervisor.child_spec([child]))
    kill_by_name("child")
    await wait_all_tasks_blocked()
    sup = DynamicSupervisorRef(await start(DynamicSupervisor.child_spec(max_children=0)))
    with pytest.raises(MaxChildren):
        await sup.start_child(Oracle.child_spec())
    pid = spawn(sleeper, mailbox=MailboxLimit(1, policy="drop_newest"))
    send(pid, 1)
    send(pid, 2)
    await wait_exit(spawn(everything))
    node.instruments.emit(LoopStalled(0.2, None, None, None, None, ""))
    await RateLimiterRef(await start(RateLimiter.child_spec(1))).acquire()
    found = exported.metrics()
    assert {name: metric.unit for name, metric in found.items()} == {
        name: unit for name, (unit, _) in NAMES.items()
    }
    assert [name for name, (_, fits) in NAMES.items() if not fits(found[name])] == []
    assert [name for name, metric in found.items() if not (metric.description or "").strip()] == []
    page = (ROOT / "docs" / "telemetry.md").read_text()
    assert [
        name for name, (unit, _) in NAMES.items() if f"| `{name}` | `{unit}` |" not in page
    ] == []
    await stop_all(pid, tree)


def test_what_is_no_provider_and_no_yes_or_no_is_refused() -> None:
    with pytest.raises(TypeError, match=r"^meter_provider: got 1, allowed are a MeterProvider "):
        OpenTelemetry(1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    with pytest.raises(TypeError, match=r"^calls: got 'no', allowed are True and False$"):
        OpenTelemetry(calls="no")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def test_by_default_it_is_the_global_provider_and_without_an_sdk_nothing_happens() -> None:
    async with open_node(instruments=[OpenTelemetry()]):
        oracle = await Oracle.start()
        assert await oracle.call(Echo()) == 1


INSTALL = "OpenTelemetry needs the package opentelemetry-api: pip install 'trio-otp[opentelemetry]'"


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.metrics", None)
    with pytest.raises(ImportError, match=f"^{re.escape(INSTALL)}$") as caught:
        runpy.run_path(str(ROOT / "runtime" / "telemetry" / "opentelemetry.py"))
    assert caught.value.name == "opentelemetry.metrics"


def test_without_the_package_there_is_everything_else() -> None:
    program = 'import sys; sys.modules["opentelemetry"] = None; import runtime, supervisors'
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)
