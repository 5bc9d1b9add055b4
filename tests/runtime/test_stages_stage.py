"""What stages are to each other goes past whatever the user wrote; what they keep is hidden."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from runtime import (
    GenServer,
    Node,
    Ref,
    ReplyTo,
    get_state,
    is_alive,
    kill,
    replace_state,
    wait_exit,
)
from runtime.stages import (
    Consumer,
    Producer,
    ProducerConsumer,
    buffered_count,
    get_demand,
    queue_info,
    resubscribe,
    set_demand,
)
from tests.runtime.staging import (
    Do,
    Middle,
    Sink,
    Source,
    chunks,
    emitted,
    joined,
    settled,
)


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
    [(Producer, "_stage_settle"), (Producer, "_stage_giving"),
     (Consumer, "_stage_handle"), (Consumer, "_stage_begin"),
     (ProducerConsumer, "_stage_work"), (ProducerConsumer, "_stage_queue")],
)  # fmt: skip
def test_a_name_that_a_stage_uses_itself_is_refused(base: type[Any], name: str) -> None:
    text = rf"^Mine: {name}: stages use that name themselves, take another$"
    with pytest.raises(TypeError, match=text):
        type("Mine", (base,), {name: None, "__module__": "shop"})


def test_other_names_are_free() -> None:
    free = {"_stage_work": 1, "_rows": 2, "_stage_delivering": 3, "__module__": "shop"}
    assert issubclass(type("Mine", (Producer,), free), Producer)
