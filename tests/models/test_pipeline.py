"""Pipelines of any shape, through any accident: every message comes to one end, and in order."""

from __future__ import annotations

import math
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from runtime import Ref, exit, is_alive, kill, named, start, whereis
from supervisors.pipeline import (
    FULL,
    Batcher,
    Full,
    Group,
    Message,
    PipelineRef,
    Processors,
    Producers,
    RateLimit,
    SizedBy,
)
from tests.models.clients import Deed, weighted
from tests.models.machine import NodeMachine, examples
from tests.models.pipeline_world import (
    FAILING,
    FATES,
    Book,
    Crash,
    Deeds,
    Deliveries,
    Delivery,
    Emit,
    Finish,
)

KEYS = st.integers(0, 3)
SECONDS = st.sampled_from((0.05, 0.1, 0.25, 0.5, 1.0, 3.0))
ACKS = st.sampled_from(("at once", "at once", "at once", "slow", "raises"))
FATE = st.sampled_from(("fine", "fine", "fine", "fine", "slow", *FATES))
ITEMS = st.lists(st.tuples(KEYS, FATE, ACKS), min_size=1, max_size=6)
DEEDS = {
    "feed": (6, ITEMS),
    "let_time_pass": (6, SECONDS),
    "emit_unasked": (1, ITEMS),
    "push": (1, ITEMS),
    "end_stage": (4, st.integers(0, 99), st.sampled_from(("kill", "kill", "boom", "Normal"))),
    "crash_source": (1, st.integers(0, 1)),
    "change_rate": (1, st.integers(1, 4), st.booleans()),
    "stop": (1,),
    "finish": (1, st.integers(0, 1)),
}
BATCHER = st.fixed_dictionaries(
    {
        "size": st.sampled_from((1, 3, 9, "own")),
        "timeout": st.sampled_from((0.3, math.inf, math.inf)),
        "concurrency": st.integers(1, 2),
        "partitioned": st.booleans(),
    }
)
GROUP = st.fixed_dictionaries(
    {
        "processors": st.integers(1, 3),
        "max_demand": st.integers(1, 5),
        "partitioned": st.booleans(),
        "batchers": st.lists(BATCHER, max_size=2),
    }
)
SHAPE = st.fixed_dictionaries(
    {
        "producers": st.sampled_from((1, 1, 1, 2)),
        "rate": st.sampled_from((None, None, 1, 3)),
        "raw": st.booleans(),
        "drain_timeout": st.sampled_from((0.1, 0.5, 60.0)),
        "groups": st.lists(GROUP, min_size=1, max_size=2),
        "retries": st.booleans(),
        "calm": st.booleans(),
    }
)
ACCIDENTS = {"end_stage", "crash_source", "finish"}


def weight(so_far: int, message: Message[Any]) -> int | Full:
    """A batch of the user's own size."""
    if message.data.fate == "size raises":
        raise ValueError("size")
    so_far += message.data.key + 1
    return FULL if so_far >= 4 else so_far


def by_key(message: Message[Any]) -> int:
    key: int = message.data.key
    return key


class PipelineMachine(NodeMachine):
    """A pipeline, which may end and be started anew, on one book."""

    def __init__(self) -> None:
        super().__init__()
        self.ref = PipelineRef("line")
        self.book = Book()
        self.shape: dict[str, Any] = {}
        self.first = 0  # the number of the first delivery of this pipeline
        self.late: set[int] = set()  # those that were emitted while an earlier one drained
        self.late_from = math.inf  # and those of this one

    @initialize(shape=SHAPE)
    def begin(self, shape: dict[str, Any]) -> None:
        self.shape = shape
        if shape["calm"]:  # so nothing may be given back that an acknowledger has not refused
            shape["drain_timeout"] = 1000.0
        self.book.retries = shape["retries"]
        self.start()

    @rule(deeds=st.lists(weighted(DEEDS), min_size=1, max_size=8))
    def act(self, deeds: list[Deed]) -> None:
        """Several things one after the other, each in a step of its own."""
        for name, arguments in deeds:
            if not self.is_running():
                self.all_have_come_to_an_end()
                self.start()
            if not (self.shape["calm"] and name in ACCIDENTS):
                getattr(self, name)(*arguments)
            self.no_message_has_two_ends()

    async def end(self) -> None:
        if is_alive(self.ref):
            kill(self.ref)

    # -- the pipeline -------------------------------------------------------------------------

    def start(self) -> None:
        book, shape = self.book, self.shape
        limit = shape["rate"]
        producers = Producers(
            lambda _: Deliveries(book, raw=shape["raw"]),
            concurrency=shape["producers"],
            rate_limit=None if limit is None else RateLimit(limit, 0.5),
            transform=(lambda one: book.deliver(*one)) if shape["raw"] else None,
        )
        groups = {f"g{n}": self.group(f"g{n}", of) for n, of in enumerate(shape["groups"])}
        spec = Deeds(book, "", ()).child_spec(
            name="line",
            producers=producers,
            groups=groups,
            drain_timeout=shape["drain_timeout"],
            max_restarts=1000,
        )
        numbers = range(self.first, len(book.deliveries))
        self.late.update(number for number in numbers if number >= self.late_from)
        self.first, self.late_from = len(book.deliveries), math.inf

        async def step() -> Ref:
            return await start(spec)

        self.run(step)

    def group(self, name: str, of: dict[str, Any]) -> Group:
        batchers = {
            f"b{number}": Batcher(
                size=SizedBy(0, weight) if one["size"] == "own" else one["size"],
                timeout=one["timeout"],
                concurrency=one["concurrency"],
                max_demand=3 if one["size"] == "own" else None,
                partition_by=by_key if one["partitioned"] else None,
            )
            for number, one in enumerate(of["batchers"])
        }
        processors = Processors(
            of["processors"], of["max_demand"], partition_by=by_key if of["partitioned"] else None
        )
        return Group(Deeds(self.book, name, tuple(batchers)), processors, batchers)

    def is_running(self) -> bool:
        async def step() -> bool:
            return is_alive(self.ref)

        return self.run(step)

    def stages(self) -> list[str]:
        async def step() -> list[str]:
            return sorted(await self.ref.stage_pids())

        return self.run(step)

    # -- what is done to it -------------------------------------------------------------------

    def feed(self, items: list[Any]) -> None:
        """There is more to deliver; sources that were asked for it hear of it."""
        self.book.waiting += items
        self.tell_source(0, Emit())

    def emit_unasked(self, items: list[Any]) -> None:
        self.feed(items * 3)

    def push(self, items: list[Any]) -> None:
        async def step() -> None:
            if await self.ref.all_running():
                messages = [self.book.deliver(*item, pushed=True) for item in items]
                self.ref.test_batch(messages)

        self.run(step)

    def tell_source(self, index: int, message: Any) -> None:
        async def step() -> None:
            found = whereis(f"line.producer_{index}")
            if found is not None:
                named(f"line.producer_{index}").cast(message)

        self.run(step)

    def end_stage(self, number: int, how: str) -> None:
        stages = self.stages()
        if stages:
            self.book.troubled = True
            stage = stages[number % len(stages)]

            async def step() -> None:
                found = whereis(stage)
                if found is not None and how == "kill":
                    kill(found)
                elif found is not None:
                    exit(found, how)

            self.run(step)

    def crash_source(self, index: int) -> None:
        self.book.troubled = True
        self.tell_source(index, Crash())

    def change_rate(self, allowed: int, reset: bool) -> None:
        async def step() -> None:
            if self.shape["rate"] is not None:
                await self.ref.set_rate_limit(allowed=allowed, reset=reset)

        self.run(step)

    def finish(self, index: int) -> None:
        """A source has nothing more; if it is the last one the pipeline ends in its time."""
        self.book.troubled = True  # what it emits later is given back
        self.tell_source(index, Finish())

    def stop(self) -> None:
        """It drains while other things go on; at some time it is gone."""
        self.book.troubled |= self.shape["drain_timeout"] < 1000
        self.background(self.ref.stop)
        self.late_from = min(self.late_from, len(self.book.deliveries))

    def let_time_pass(self, seconds: float) -> None:
        self.advance(seconds)

    # -- what must be true --------------------------------------------------------------------

    @invariant()
    def no_message_has_two_ends(self) -> None:
        book = self.book
        assert book.wrong == []
        for delivery in book.deliveries:
            assert len(delivery.ends) <= 1, delivery
            if delivery.ends:
                self.the_end_is_right(delivery)
        self.order_is_kept()
        self.the_numbers_are_right()

    def the_end_is_right(self, delivery: Delivery) -> None:
        """It follows from its fate, unless it was given back."""
        (end,) = delivery.ends
        fate = delivery.fate
        if end == "back":
            late = delivery.number in self.late or delivery.number >= self.late_from
            assert self.book.troubled or delivery.ack == "raises" or late, delivery
        elif delivery.ack == "raises":
            raise AssertionError(f"{delivery} was never told of")
        elif fate in FAILING:
            assert end == "failed", delivery
        elif end == "failed":
            batches = any(group["batchers"] for group in self.shape["groups"])
            assert batches or fate == "early, then raises", delivery
            early = fate.startswith("early")
            assert not early or len(self.shape["groups"]) > 1, delivery

    def order_is_kept(self) -> None:
        """Of the messages of one key, where one stage handles all of them."""
        if self.shape["producers"] > 1:
            return
        for number, group in enumerate(self.shape["groups"]):
            if not (group["partitioned"] or group["processors"] == 1):
                continue
            for (name, key), numbers in self.book.handled.items():
                if name == f"g{number}":
                    assert numbers == sorted(set(numbers)), (name, key, numbers)
            for (name, batcher, *_), numbers in self.book.batched.items():
                if name == f"g{number}":
                    one = group["batchers"][int(batcher[1:])]
                    alone = group["processors"] == 1 and one["concurrency"] == 1
                    if alone or (one["partitioned"] and group["processors"] == 1):
                        assert numbers == sorted(set(numbers)), (name, batcher, numbers)

    def the_numbers_are_right(self) -> None:
        async def step() -> Any:
            return await self.ref.statistics() if is_alive(self.ref) else None

        statistics = self.run(step)
        if statistics is None:
            return
        mine = self.book.deliveries[self.first :]
        told = {end: sum(one.ends == [end] for one in mine) for end in ("ok", "failed", "back")}
        assert statistics.under_way == statistics.emitted - sum(
            (statistics.successful, statistics.failed, statistics.given_back)
        )
        assert statistics.emitted <= len(mine)
        assert statistics.successful >= told["ok"] or any(m.fate.startswith("early") for m in mine)
        assert statistics.given_back >= told["back"]

    def all_have_come_to_an_end(self) -> None:
        """The pipeline is gone."""
        left = [one for one in self.book.deliveries if len(one.ends) != 1]
        assert left == []

    def teardown(self) -> None:
        try:
            if self.shape:
                self.it_ends_in_order()
        finally:
            super().teardown()

    def it_ends_in_order(self) -> None:
        """Whatever has happened: left alone it delivers everything, and then it can be stopped."""
        if self.is_running():
            self.advance(300)
            if self.is_running():
                self.stop()
                self.advance(1000)
        assert not self.is_running()
        self.no_message_has_two_ends()
        self.all_have_come_to_an_end()


TestPipeline = PipelineMachine.TestCase
TestPipeline.settings = examples(150, 12)
