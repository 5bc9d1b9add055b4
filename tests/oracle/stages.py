"""What the traces of stages are written with: the Python of ``elixir/_stages.exs``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypedDict, Unpack

import trio

from runtime import (
    Call,
    Crashed,
    ExitReason,
    Normal,
    Pid,
    ProcessInfo,
    Ref,
    handles,
    kill,
    process_info,
    self_,
    spawn,
    trap_exits,
    unlink,
    wait_exit,
)
from runtime.stages import (
    Consumer,
    DemandDispatcher,
    Dispatcher,
    Mode,
    Peer,
    Producer,
    Subscription,
    SubscriptionEnded,
)
from tests.oracle.inspecting import inspected
from tests.oracle.trace import Trace, settle


class Sections:
    """A trace in sections, each in a process of its own that traps exits: the module ``T``."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self._muted = False

    def log(self, line: str) -> None:
        """Print a line."""
        if not self._muted:
            self._trace.out(line)

    async def section(self, name: str, body: Callable[[], Awaitable[None]]) -> None:
        """A heading, and what is under it."""
        self.log(f"## {name}")
        await self.iso(body)

    async def iso(self, body: Callable[[], Awaitable[None]]) -> None:
        """Run it and end silently what it has started and is linked to."""
        reason = await wait_exit(spawn(self._in_a_process(body)))
        if isinstance(reason, Crashed):
            raise reason.exception
        assert reason == Normal(), reason

    def _in_a_process(self, body: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
        async def process() -> None:
            trap_exits()
            await body()
            self._muted = True
            for pid in info_of(self_()).links:
                unlink(pid)
                kill(pid)
                await wait_exit(pid)
            await settle(25)
            self._muted = False

        return process


def info_of(target: Pid) -> ProcessInfo:
    """Facts about a process that is alive."""
    info = process_info(target)
    assert info is not None
    return info


class ProducerOptions(TypedDict, total=False):
    """What a producer does otherwise than others."""

    dispatcher: Dispatcher[Any]
    demand: Any
    buffer_size: int | None
    buffer_keep: Any


class Stage(Producer[Any]):
    """What the producers share: their options, and what they print."""

    def __init__(
        self, sections: Sections, label: str = "P", **options: Unpack[ProducerOptions]
    ) -> None:
        self.log = sections.log
        self.label = label
        self.dispatcher = options.pop("dispatcher", None)
        vars(self).update(options)

    def make_dispatcher(self) -> Dispatcher[Any]:
        return self.dispatcher or DemandDispatcher()

    def handle_cancel(self, subscription: Subscription, end: SubscriptionEnded) -> None:
        self.log(f"{self.label} handle_cancel {inspected(end)}")


class Count(Stage):
    """Counts up; emits exactly what is asked for, up to ``total`` events."""

    def __init__(
        self,
        sections: Sections,
        label: str = "P",
        *,
        total: int | None = None,
        **options: Unpack[ProducerOptions],
    ) -> None:
        super().__init__(sections, label, **options)
        self.total = total
        self.next = 0

    def handle_demand(self, demand: int) -> Iterable[int]:
        self.log(f"{self.label} handle_demand {demand}")
        first = self.next
        self.next += demand if self.total is None else min(demand, self.total - first)
        return range(first, self.next)


class PushEvents(Call[None]):
    """Emit these."""

    events: list[Any]


async def push(producer: Ref, events: Iterable[Any]) -> None:
    """Let a ``Push`` emit them; ``Push.push``."""
    await producer.call(PushEvents(list(events)))


class Push(Stage):
    """Ignores demand; its events are pushed in from outside."""

    def handle_demand(self, demand: int) -> None:
        self.log(f"{self.label} handle_demand {demand}")

    @handles(PushEvents)
    def push(self, request: PushEvents) -> None:
        self.emit(request.events)

    def handle_info(self, message: object) -> None:
        self.log(f"{self.label} handle_info {inspected(message)}")


class AskFor(Call[None]):
    """Ask the producer for so many, by hand."""

    count: int


class Sync(Call[None]):
    """Answer, after what came before."""


async def ask(consumer: Ref, count: int, ms: float = 15) -> None:
    """Let a manual ``Sink`` ask, and see what follows."""
    await consumer.call(AskFor(count))
    await settle(ms)


class Sink(Consumer[Any]):
    """Prints the events it gets."""

    def __init__(self, sections: Sections, label: str = "C", *, mode: Mode = "automatic") -> None:
        self.log = sections.log
        self.label = label
        self.mode: Mode = mode
        self.subscription: Subscription | None = None

    def handle_subscribe(self, peer: Peer, subscription: Subscription) -> Mode:
        self.subscription = subscription
        return self.mode

    def handle_events(self, events: list[Any], subscription: Subscription) -> Any:
        self.log(f"{self.label} handle_events {self.shown(events)}")

    def shown(self, events: list[Any]) -> str:
        return inspected(events)

    @handles(AskFor)
    def ask(self, request: AskFor) -> None:
        assert self.subscription is not None
        self.subscription.ask(request.count)

    @handles(Sync)
    def sync(self, request: Sync) -> None:
        pass

    def handle_cancel(self, subscription: Subscription, end: SubscriptionEnded) -> None:
        self.log(f"{self.label} handle_cancel {inspected(end)}")

    def handle_info(self, message: object) -> None:
        self.log(f"{self.label} handle_info {inspected(message)}")

    def terminate(self, reason: ExitReason) -> None:
        self.log(f"{self.label} terminate {inspected(reason)}")


class Blocking(Sink):
    """Does not come back once it has seen so many events."""

    def __init__(self, sections: Sections, label: str = "C", *, block_at: int) -> None:
        super().__init__(sections, label)
        self.left = block_at

    async def handle_events(self, events: list[Any], subscription: Subscription) -> None:
        super().handle_events(events, subscription)
        self.left -= len(events)
        if self.left <= 0:
            await trio.sleep_forever()
