"""What stages are to each other goes past whatever the user wrote; what they keep is hidden."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import pytest

from runtime import (
    Agent,
    BadResult,
    Call,
    CallExit,
    Crashed,
    GenServer,
    MailboxFull,
    MailboxLimit,
    MessageUnexpected,
    Node,
    Ref,
    ReplyTo,
    UnhandledMessage,
    get_state,
    is_alive,
    kill,
    receive,
    ref,
    replace_state,
    resume,
    self_,
    send,
    spawn,
    suspend,
    wait_exit,
)
from runtime.stages import (
    BadSubscription,
    Consumer,
    Producer,
    ProducerConsumer,
    Subscription,
    buffered_count,
    get_demand,
    queue_info,
    resubscribe,
    set_demand,
    subscribe,
)
from supervisors import Supervisor
from tests.runtime.staging import (
    KINDS,
    Do,
    Middle,
    Sink,
    Source,
    chunks,
    demands,
    emitted,
    ends,
    joined,
    settled,
)
from tests.support import end_of


class Swallowing(GenServer):
    """Answers every call and takes every other message, and writes them down."""

    swallowed: list[object]

    def handle_call(self, request: object, reply_to: ReplyTo[Any]) -> Any:
        if isinstance(request, Do):
            return request.fn(self)
        self.swallowed.append(request)
        return "swallowed"

    def handle_cast(self, message: object) -> None:
        self.swallowed.append(message)

    def handle_info(self, message: object) -> None:
        self.swallowed.append(message)


class AsyncSwallowing(GenServer):
    """The same with ``async def``."""

    swallowed: list[object]

    async def handle_call(self, request: object, reply_to: ReplyTo[Any]) -> Any:
        if isinstance(request, Do):
            return request.fn(self)
        self.swallowed.append(request)
        return "swallowed"

    async def handle_cast(self, message: object) -> None:
        self.swallowed.append(message)

    async def handle_info(self, message: object) -> None:
        self.swallowed.append(message)


class P(Swallowing, Source): ...


class PC(Swallowing, Middle): ...


class C(Swallowing, Sink): ...


class AP(AsyncSwallowing, Source): ...


class APC(AsyncSwallowing, Middle): ...


class AC(AsyncSwallowing, Sink): ...


def by_instance(cls: type[Any]) -> Callable[..., Any]:
    """Its instances have the handlers as attributes of their own."""

    class Own(cls):  # type: ignore[misc]
        def init(self) -> None:
            self.handle_cast = self.swallowed.append
            self.handle_info = self.swallowed.append

            def handle_call(request: object, reply_to: object) -> Any:
                if isinstance(request, Do):
                    return request.fn(self)
                self.swallowed.append(request)
                return "swallowed"

            self.handle_call = handle_call

    return Own


WAYS = {
    "def": (P, PC, C),
    "async": (AP, APC, AC),
    "instance": (by_instance(Source), by_instance(Middle), by_instance(Sink)),
}


@pytest.mark.parametrize("way", WAYS)
async def test_handlers_that_swallow_everything_see_nothing_of_it(node: Node, way: str) -> None:
    swallowed: list[object] = []
    log: list[Any] = []
    producing, middling, consuming = WAYS[way]
    refs: list[Ref] = []
    for cls, more in ((producing, {"total": 3}), (middling, {}), (consuming, {"log": log})):

        class Told(cls):  # type: ignore[misc, valid-type]
            def __init__(self, **given: Any) -> None:
                super().__init__(**given)
                self.swallowed = swallowed

        refs.append(await Told.start(**more))
    p, b, c = refs
    subscription = await joined(c, b, cancel="temporary")
    await joined(b, p, cancel="temporary")
    assert chunks(log) == [[0, 1, 2]]
    assert await get_demand(p) == await get_demand(b) == "forward"
    await set_demand(p, "accumulate")
    assert await get_demand(p) == "accumulate"
    assert await buffered_count(p) == await buffered_count(b) == 0
    await resubscribe(subscription, b, cancel="temporary")
    kill(p)
    await wait_exit(p)
    await settled()
    assert swallowed == []
    await queue_info(b, "mine")
    await settled()
    assert swallowed == ["mine"], "that one is the user's"


class Slotted(Source):
    __slots__ = ("own",)

    def init(self) -> None:
        self.own = 5


class SlottedMiddle(Middle):
    __slots__ = ("other", "own")


class Bare(Producer[int], Consumer[int]):
    """Both halves by hand: no state, no ``__init__``, nothing said."""


class Silent(Producer[int]):
    def __init__(self) -> None: ...

    def handle_demand(self, demand: int) -> None: ...


async def test_subclasses_with_slots_or_without_any_state(node: Node) -> None:
    log: list[Any] = []
    p, b = await Slotted.start(None, 3), await SlottedMiddle.start()
    await joined(await Sink.start(log), b)
    await joined(b, p)
    assert chunks(log) == [[0, 1, 2]]
    silent = await Silent.start()
    await joined(await Sink.start(), silent)
    assert (await get_state(silent), is_alive(silent)) == ({}, True)


async def test_what_a_stage_keeps_is_not_in_its_state(node: Node) -> None:
    log: list[Any] = []
    p, b = await Source.start(), await Middle.start()
    await joined(await Sink.start(log), b)
    await joined(b, p)
    state = await get_state(b)
    assert sorted(state) == ["fn", "log"]
    await replace_state(b, lambda state: {**state, "fn": lambda event: [event, event]})
    await replace_state(p, lambda state: {"log": []})
    await emitted(p, 1)
    assert chunks(log) == [[1, 1]]


@pytest.mark.parametrize(
    ("base", "name"),
    [(Producer, "_settle"), (Producer, "_giving"), (Consumer, "_handle"), (Consumer, "_begin"),
     (ProducerConsumer, "_work"), (ProducerConsumer, "_waiting")],
)  # fmt: skip
def test_a_name_that_a_stage_uses_itself_is_refused(base: type[Any], name: str) -> None:
    text = rf"^Mine: {name}: stages use that name themselves, take another$"
    with pytest.raises(TypeError, match=text):
        type("Mine", (base,), {name: None, "__module__": "shop"})


def test_other_names_are_free() -> None:
    free = {"_work": 1, "_rows": 2, "_delivering": 3, "__module__": "shop"}
    assert issubclass(type("Mine", (Producer,), free), Producer)


# ---------------------------------------------------------------------- wrong addresses


class Counter(GenServer):
    """No stage."""


class CountingCasts(GenServer):
    """No stage, and takes every cast."""

    casts: ClassVar[list[object]] = []

    async def handle_cast(self, message: object) -> None:
        self.casts.append(message)


class Waiting(GenServer):
    """No stage, and not up yet when it is subscribed to."""

    async def init(self) -> None:
        await subscribe(named_sink[0], ref(self_()), cancel="temporary")


named_sink: list[Ref] = []


async def of(what: str) -> Ref:
    """Something that is no producer."""
    if what == "consumer":
        return await Sink.start()
    if what == "server":
        return await Counter.start()
    if what == "casts":
        return await CountingCasts.start()
    if what == "supervisor":
        return await Supervisor.start([])
    return await Agent.start(dict)


@pytest.mark.parametrize("what", ["consumer", "server", "casts", "supervisor", "agent"])
async def test_who_is_no_producer_says_so(node: Node, events: list[Any], what: str) -> None:
    log: list[Any] = []
    wrong, sink = await of(what), await Sink.start(log)
    subscription = await joined(sink, wrong, cancel="temporary")
    ((_, how, reason, peer),) = ends(log)
    assert (how, peer, type(reason.exception)) == ("cancel", "producer", BadSubscription)
    runs = type_of(what)
    assert str(reason.exception) == f"to: {wrong.pid!r} runs {runs}, which is no producer"
    assert is_alive(wrong)
    assert is_alive(sink)
    subscription.ask(5)
    subscription.cancel()
    await settled()
    assert (CountingCasts.casts, is_alive(wrong)) == ([], True)
    told = [one for one in events if isinstance(one, MessageUnexpected)]
    assert [one.pid for one in told] == [wrong.pid] * 4
    if what == "supervisor":
        await wrong.stop()


def type_of(what: str) -> str:
    return {
        "consumer": "Sink", "server": "Counter", "casts": "CountingCasts",
        "supervisor": "Supervisor", "agent": "Agent",
    }[what]  # fmt: skip


async def test_a_permanent_consumer_of_no_producer_ends(node: Node, events: list[Any]) -> None:
    sink = await Sink.start()
    await joined(sink, await Counter.start())
    reason = end_of(events, sink.pid)
    assert isinstance(reason, Crashed)
    assert isinstance(reason.exception, BadSubscription)


async def test_a_server_that_is_starting_is_asked_when_it_is_up(node: Node) -> None:
    log: list[Any] = []
    sink = await Sink.start(log)
    named_sink[:] = [sink]
    await Waiting.start()
    await settled()
    ((_, _, reason, _),) = ends(log)
    assert str(reason.exception).endswith("runs Waiting, which is no producer")


async def test_a_plain_process_gets_nothing_it_did_not_ask_for(node: Node) -> None:
    got: list[object] = []

    async def plain() -> None:
        got.append(await receive())

    pid = spawn(plain)
    log: list[Any] = []
    await joined(await Sink.start(log), ref(pid), cancel="temporary")
    ((_, how, reason, _),) = ends(log)
    assert how == "cancel"
    assert str(reason.exception) == f"to: {pid!r} runs plain, which is no producer"
    send(pid, "first")
    await wait_exit(pid)
    assert got == ["first"]


@pytest.mark.parametrize(
    "asked",
    [
        lambda p, c, s: subscribe(p, c),
        lambda p, c, s: set_demand(c, "forward"),
        lambda p, c, s: get_demand(c),
        lambda p, c, s: buffered_count(c),
        lambda p, c, s: queue_info(c, 1),
    ],
)
async def test_the_wrong_half_is_an_error_of_who_asks(
    node: Node, asked: Callable[..., Any]
) -> None:
    """GS-16, GS-37."""
    p, c = await Source.start(), await Sink.start()
    s = await joined(c, p)
    with pytest.raises(UnhandledMessage, match=r"is the wrong handle"):
        await asked(p, c, s)
    assert is_alive(p)
    assert is_alive(c)


# ---------------------------------------------------------------------- mailboxes, suspension


class Ping(Call[None]):
    """Nothing."""


@pytest.mark.parametrize("policy", ["raise", "drop_newest", "drop_oldest"])
async def test_a_full_mailbox_drops_nothing_of_stages(
    node: Node, events: list[Any], policy: Any
) -> None:
    limit = MailboxLimit(1, policy=policy)

    class BoundedSource(Source):
        mailbox = limit

    class BoundedSink(Sink):
        mailbox = limit

    log: list[Any] = []
    p, c = await BoundedSource.start(None, 20), await BoundedSink.start(log)
    subscription = await joined(c, p, mode="manual", cancel="temporary")
    await suspend(p)
    await suspend(c)
    send(p, "fills it")
    send(c, "fills it")
    for _ in range(10):
        subscription.ask(2)
    subscription.cancel("done")
    if policy == "raise":
        with pytest.raises(MailboxFull):
            send(p, "more")
    else:
        send(p, "more")
    await resume(p)
    await settled()
    if policy == "drop_oldest":
        send(c, "more")
    await resume(c)
    await settled()
    assert [event for chunk in chunks(log) for event in chunk] == list(range(20))
    assert ends(log) == [("over", "cancel", "done", "producer")]


@pytest.mark.parametrize("kinds", KINDS)
async def test_a_suspended_stage_goes_on_in_order(node: Node, kinds: Any) -> None:
    producer, middle, consumer = kinds
    logs: list[list[Any]] = [[], [], []]
    p, b, c = (
        await producer.start(logs[0], 6), await middle.start(logs[1]), await consumer.start(logs[2])
    )  # fmt: skip
    for one in (p, b, c):
        await suspend(one)
    for one in (p, b, c):
        await settled()
        await resume(one)
    await suspend(b)
    with_c = subscribe(c, b, max_demand=2, min_demand=0)
    await with_c
    await resume(b)
    await suspend(p)
    await joined(b, p, max_demand=3, min_demand=0)
    assert chunks(logs[1]) == []
    await suspend(c)
    await resume(p)
    await settled()
    assert chunks(logs[1]) == [[0, 1, 2]], "what was wanted"
    assert chunks(logs[2]) == []
    await resume(c)
    await settled()
    assert [event for chunk in chunks(logs[2]) for event in chunk] == list(range(6))
    assert demands(logs[0]) == [3, 3, 3]


async def test_a_suspended_producer_that_is_cancelled_and_killed(node: Node) -> None:
    log: list[Any] = []
    p, c = await Source.start(), await Sink.start(log)
    subscription = await joined(c, p, cancel="temporary")
    await suspend(p)
    subscription.cancel("never seen")
    await settled()
    assert ends(log) == []
    kill(p)
    await wait_exit(p)
    await settled()
    ((_, how, _, _),) = ends(log)
    assert how == "down"


async def test_a_crash_in_a_callback_reaches_who_called(node: Node) -> None:
    p = await Source.start()
    with pytest.raises(CallExit) as info:
        await p.call(Do(lambda stage: stage.emit(5)))
    assert isinstance(info.value.reason, Crashed)
    assert not isinstance(info.value.reason.exception, BadResult)


def test_a_subscription_is_no_message_of_the_user() -> None:
    assert not issubclass(Subscription, Call)
