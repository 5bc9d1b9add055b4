"""What a node tells, as OpenTelemetry metrics. Needs the extra ``opentelemetry``.

It speaks to the API alone: which SDK takes the figures, and where they go, is the program's choice,
and without one they go nowhere. Attributes have few values each: names of classes and functions,
and names that the program has given to its supervisors and limiters; never a pid, a key, a message.

Gauges are read by the SDK in a thread of its own, when it exports; between two exports they cost
nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from runtime.exits import Crashed, ExitReason
from runtime.instruments import (
    CallEnded,
    ChildEnded,
    ChildRefused,
    Event,
    Instrument,
    LoopStalled,
    MessageDropped,
    PermitsGranted,
    ProcessCrashed,
)
from runtime.telemetry.node_counts import BehaviourCounts, CountNode

try:
    from opentelemetry.metrics import (
        CallbackOptions,
        Histogram,
        Meter,
        MeterProvider,
        Observation,
        get_meter_provider,
    )
except ImportError as exc:
    raise ImportError(
        "OpenTelemetry needs the package opentelemetry-api: pip install 'trio-otp[opentelemetry]'",
        name=exc.name,
    ) from exc

_SECONDS: Final = (
    0.000_01, 0.000_1, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
)  # fmt: skip
"""A call may take a microsecond, and by default at most five seconds."""

_EVENTS: Final[tuple[type[Event], ...]] = (
    ProcessCrashed, ChildEnded, ChildRefused, MessageDropped, LoopStalled, PermitsGranted,
)  # fmt: skip


class OpenTelemetry(Instrument):
    """Exports what a node tells: ``run(children, instruments=[log_reports, OpenTelemetry()])``.

    - ``meter_provider``: whose meter is used; by default the global one, also if it is set later.
    - ``calls``: whether the duration of calls is measured, which costs each call more than all the
      rest costs together.

    One for a provider: it may hear several nodes, and its gauges add them up.
    """

    __slots__ = ("_calls", "_crashes", "_drops", "_nodes", "_refusals", "_restarts", "_stalls",
                 "_waits")  # fmt: skip

    def __init__(self, meter_provider: MeterProvider | None = None, *, calls: bool = True) -> None:
        if not isinstance(calls, bool):
            raise TypeError(f"calls: got {calls!r}, allowed are True and False")
        if not (meter_provider is None or isinstance(meter_provider, MeterProvider)):
            raise TypeError(
                f"meter_provider: got {meter_provider!r}, allowed are a MeterProvider and None"
            )
        super().__init__(self._hear, (*_EVENTS, CallEnded) if calls else _EVENTS)
        self._nodes: tuple[CountNode, ...] = ()
        meter = (meter_provider or get_meter_provider()).get_meter("trio_otp")
        self._crashes = meter.create_counter(
            "trio_otp.process.crashes", "{crash}",
            "Processes that ended neither normally nor by a shutdown.",
        )  # fmt: skip
        self._restarts = meter.create_counter(
            "trio_otp.supervisor.restarts", "{restart}",
            "Restarts that supervisors have made, as they count for their limit.",
        )  # fmt: skip
        self._refusals = meter.create_counter(
            "trio_otp.supervisor.refusals", "{refusal}",
            "Children that were refused because there were max_children.",
        )  # fmt: skip
        self._drops = meter.create_counter(
            "trio_otp.mailbox.drops", "{message}", "Messages that full mailboxes have dropped."
        )
        self._stalls = meter.create_counter(
            "trio_otp.loop.stalls", "{stall}", "How often the loop did not turn for too long."
        )
        self._calls = _histogram(
            meter, "trio_otp.call.duration", "From a call to what ended it, as its caller sees it."
        )
        self._waits = _histogram(
            meter, "trio_otp.limiter.wait_time", "How long those waited who were given a permit."
        )
        self._observe(meter)

    def _observe(self, meter: Meter) -> None:
        meter.create_observable_up_down_counter(
            "trio_otp.process.count",
            [self._observer(lambda counts: counts.processes)],
            "{process}",
            "Living processes.",
        )
        meter.create_observable_up_down_counter(
            "trio_otp.mailbox.message.count",
            [self._observer(lambda counts: counts.messages)],
            "{message}",
            "Messages that wait in mailboxes.",
        )
        meter.create_observable_gauge(
            "trio_otp.mailbox.message.max",
            [self._observer(lambda counts: counts.longest)],
            "{message}",
            "Messages that wait in the longest mailbox.",
        )

    # -- gauges -----------------------------------------------------------------------------

    def joined(self, count: CountNode) -> None:
        """Its processes are counted from now on."""
        self._nodes = (*self._nodes, count)

    def left(self, count: CountNode) -> None:
        """They are not, any more."""
        held = list(self._nodes)
        held.remove(count)
        self._nodes = tuple(held)

    def _observer(
        self, figure: Callable[[BehaviourCounts], int]
    ) -> Callable[[CallbackOptions], Iterator[Observation]]:
        def observe(_options: CallbackOptions) -> Iterator[Observation]:
            for behaviour, counts in self._count().items():
                yield Observation(figure(counts), {"trio_otp.behaviour": behaviour})

        return observe

    def _count(self) -> dict[str, BehaviourCounts]:
        """All nodes together; called in a thread of the SDK."""
        counts: dict[str, BehaviourCounts] = {}
        for count in self._nodes:
            for behaviour, more in count().items():
                known = counts.get(behaviour)
                counts[behaviour] = more if known is None else known + more
        return counts

    # -- counters ---------------------------------------------------------------------------

    def _hear(self, event: Event) -> None:
        match event:
            case CallEnded():
                attributes = {"trio_otp.request": event.request}
                if event.outcome != "reply":
                    attributes["error.type"] = event.outcome
                self._calls.record(event.seconds, attributes)
            case PermitsGranted():
                self._waits.record(event.seconds, _named("trio_otp.limiter.name", event.name))
            case ProcessCrashed():
                self._crashes.add(
                    1,
                    {
                        "trio_otp.behaviour": event.behaviour,
                        "error.type": _error_type(event.reason),
                    },
                )
            case ChildEnded():
                if event.is_restart:
                    self._restarts.add(1, {"trio_otp.behaviour": event.behaviour})
            case ChildRefused():
                self._refusals.add(1, _named("trio_otp.supervisor.name", event.name))
            case MessageDropped():
                self._drops.add(1, {"trio_otp.behaviour": event.behaviour})
            case LoopStalled():
                self._stalls.add(1, _named("code.function.name", event.handler))
            case _:  # pragma: no cover - nothing else was subscribed to
                pass


def _histogram(meter: Meter, name: str, description: str) -> Histogram:
    return meter.create_histogram(
        name, "s", description, explicit_bucket_boundaries_advisory=_SECONDS
    )


def _named(attribute: str, name: str | None) -> dict[str, str]:
    """What has no name has no attribute."""
    return {} if name is None else {attribute: name}


def _error_type(reason: ExitReason) -> str:
    """The class of what was raised, or of the reason: its text would be another each time."""
    kind = type(reason.exception if isinstance(reason, Crashed) else reason)
    hidden = kind.__module__ in ("builtins", "runtime")
    return kind.__qualname__ if hidden else f"{kind.__module__}.{kind.__qualname__}"
