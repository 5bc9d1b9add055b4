"""stages_08_consumer_supervisor.exs: a child for each event, and demand as they end."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from runtime import (
    Cast,
    Exit,
    ExitReason,
    GenServer,
    Ignore,
    InitResult,
    Normal,
    Ref,
    Shutdown,
    Stop,
    handles,
    is_alive,
    named,
    receive,
    register,
    spawn,
    whereis,
)
from runtime.child_spec import Restart
from runtime.stages import subscribe
from supervisors import ChildNotFound, ConsumerSupervisor, ConsumerSupervisorRef
from tests.oracle.inspecting import inspected
from tests.oracle.stages import Count, Push, Sections, push
from tests.oracle.trace import Trace, settle


class End(Cast):
    """Stop with this reason."""

    reason: ExitReason


def starts(event: object) -> None:
    """How most jobs start."""


class Job(GenServer):
    """Prints its start and its end; ``fate`` may say that it does not start."""

    def __init__(
        self, sections: Sections, fate: Callable[[object], InitResult], event: object
    ) -> None:
        self.log = sections.log
        self.fate = fate
        self.event = event

    def init(self) -> InitResult:
        result = self.fate(self.event)
        if result is None:
            register(f"job_{self.event}")
            self.log(f"start {self.event}")
        return result

    @handles(End)
    def end(self, message: End) -> Stop:
        self.log(f"end {self.event} {inspected(message.reason)}")
        return Stop(message.reason)


async def fin(event: object, reason: ExitReason) -> None:
    """Let the job of an event end, and see what follows."""
    named(f"job_{event}").cast(End(reason))
    await settle(20)


async def cs(
    t: Sections,
    restart: Restart,
    fate: Callable[[object], InitResult] = starts,
    **options: Any,
) -> ConsumerSupervisorRef:
    """A linked consumer supervisor of jobs."""
    return ConsumerSupervisorRef(
        await ConsumerSupervisor.start_link(
            Job, restart=restart, extra_arguments=[t, fate], **options
        )
    )


async def sub(s: Ref, producer: Ref, most: int, least: int, **options: Any) -> None:
    await subscribe(s, to=producer, max_demand=most, min_demand=least, **options)
    await settle(20)


async def count(t: Sections, s: ConsumerSupervisorRef) -> None:
    counted = await s.count_children()
    t.log(f"count {inspected({'active': counted.active, 'workers': counted.workers})}")


async def scenario(trace: Trace) -> None:
    t = Sections(trace)
    for name, body in (
        (
            (
                "max_demand 4 min_demand 2: first four start at once; "
                "demand returned once 2 have ended"
            ),
            by_twos,
        ),
        ("max_demand 2 min_demand 0: each finished child is replaced immediately", one_by_one),
        ("temporary child that crashes counts as finished", temporary),
        (
            (
                "transient child: abnormal exit restarts the same event and keeps its slot; "
                "normal exit frees it"
            ),
            transient,
        ),
        (
            "transient child exceeding max_restarts 1 stops the supervisor with :shutdown",
            too_many_restarts,
        ),
        (
            "child that fails to start (error, ignore, raise) is dropped and its demand returned",
            fails_to_start,
        ),
        ("restart: :permanent is refused at start", permanent),
        (
            "producer goes away with cancel: :temporary; running children stay",
            producer_goes_away,
        ),
        (
            (
                "start_child by hand does not count against any producer's demand; "
                "terminate_child returns demand"
            ),
            by_hand,
        ),
        ("two producers: each has its own budget", two_producers),
    ):
        await t.section(name, partial(body, t))


async def by_twos(t: Sections) -> None:
    p = await Count.start_link(t, total=9)
    s = await cs(t, "temporary")
    await sub(s, p, 4, 2)
    await count(t, s)
    for event in range(4):
        await fin(event, Normal())
    await count(t, s)
    await fin(4, Normal())
    await fin(5, Normal())
    await count(t, s)


async def one_by_one(t: Sections) -> None:
    p = await Count.start_link(t, total=4)
    s = await cs(t, "temporary")
    await sub(s, p, 2, 0)
    for event in range(4):
        await fin(event, Normal())


async def temporary(t: Sections) -> None:
    p = await Count.start_link(t, total=4)
    s = await cs(t, "temporary")
    await sub(s, p, 1, 0)
    await fin(0, "boom")
    await fin(1, Normal())
    await count(t, s)


async def transient(t: Sections) -> None:
    p = await Count.start_link(t, total=4)
    s = await cs(t, "transient")
    await sub(s, p, 1, 0)
    await fin(0, "boom")
    await fin(0, "boom")
    await count(t, s)
    await fin(0, Shutdown())
    await fin(1, Normal())


async def too_many_restarts(t: Sections) -> None:
    p = await Count.start(t, total=4)
    s = await cs(t, "transient", max_restarts=1, max_seconds=5.0)
    await sub(s, p, 1, 0)
    await fin(0, "boom")
    await fin(0, "boom")
    await settle(20)
    end = await receive(lambda one: isinstance(one, Exit) and one.pid is s.pid, timeout=0.2)
    assert isinstance(end, Exit)
    t.log(f"supervisor exit {inspected(end.reason)}; producer alive {inspected(is_alive(p))}")


def fate_of(event: object) -> InitResult:
    """Three of them do not start, each in its own way."""
    match event:
        case 0:
            return Stop("nope")
        case 1:
            return Ignore()
        case 2:
            raise RuntimeError("boom")
        case _:
            return None


async def fails_to_start(t: Sections) -> None:
    p = await Count.start_link(t, total=6)
    s = await cs(t, "transient", fate_of)
    await sub(s, p, 2, 0)
    await settle(40)
    await count(t, s)


async def permanent(t: Sections) -> None:
    try:
        await cs(t, "permanent")
    except ValueError:
        t.log(":error")


async def producer_goes_away(t: Sections) -> None:
    p = await Count.start(t, total=4)
    s = await cs(t, "temporary")
    await sub(s, p, 2, 0, cancel="temporary")
    await p.stop()
    await settle(20)
    await count(t, s)
    await fin(0, Normal())
    await count(t, s)


async def by_hand(t: Sections) -> None:
    p = await Count.start_link(t, total=4)
    s = await cs(t, "temporary")
    await sub(s, p, 1, 0)
    await s.start_child("x")
    await settle(10)
    await count(t, s)
    job = whereis("job_0")
    assert job is not None
    await s.terminate_child(job)
    t.log("terminate :ok")
    await settle(20)
    try:
        await s.terminate_child(spawn(nothing))
    except ChildNotFound:
        t.log("terminate again {:error, :not_found}")
    await count(t, s)


async def nothing() -> None:
    pass


async def two_producers(t: Sections) -> None:
    p = await Count.start_link(t, "P1", total=2)
    q = await Push.start_link(t, "P2")
    s = await cs(t, "temporary")
    await sub(s, p, 1, 0)
    await sub(s, q, 2, 0)
    await push(q, "abc")
    await settle(20)
    await count(t, s)
    await fin(0, Normal())
    await count(t, s)
