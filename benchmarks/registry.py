"""A registry: looking a process up, and reaching a thousand."""

from __future__ import annotations

from functools import partial

import trio
from trio.testing import wait_all_tasks_blocked

from benchmarks.beam import elixir
from benchmarks.effort import Effort, Values
from benchmarks.figure import OURS, TRIO, Contender, Figure, Subject
from benchmarks.grounds import in_node, on_trio
from benchmarks.raw_trio import Countdown, Inbox
from runtime import Entry, Registry, RegistryRef, receive, send, spawn

SUBSCRIBERS = 1_000


@in_node
async def lookup_ours(effort: Effort) -> Values:
    names: RegistryRef[int, None] = RegistryRef(await Registry.start("unique"))

    async def register(key: int) -> None:
        names.register(key)
        await receive()

    for key in range(effort.number(SUBSCRIBERS)):
        spawn(partial(register, key))
    await wait_all_tasks_blocked()

    async def lookups(count: int) -> None:
        for _ in range(count):
            (entry,) = names.lookup(1)
            assert entry.value is None

    return await effort.per_operation(lookups)


@on_trio
async def lookup_trio(effort: Effort) -> Values:
    names = {key: [(Inbox[int](), None)] for key in range(effort.number(SUBSCRIBERS))}

    async def lookups(count: int) -> None:
        for _ in range(count):
            ((_, value),) = list(names[1])
            assert value is None

    return await effort.per_operation(lookups)


@in_node
async def dispatch_ours(effort: Effort) -> Values:
    subscribers = effort.number(SUBSCRIBERS)
    topics: RegistryRef[str, None] = RegistryRef(await Registry.start("duplicate"))
    received = Countdown(0)

    async def subscribe() -> None:
        topics.register("topic")
        while True:
            await receive()
            received.down()

    for _ in range(subscribers):
        spawn(subscribe)
    await wait_all_tasks_blocked()

    def tell(entries: list[Entry[None]]) -> None:
        for entry in entries:
            send(entry.pid, "news")

    async def dispatches(count: int) -> None:
        nonlocal received
        for _ in range(count):
            received = Countdown(subscribers)
            topics.dispatch("topic", tell)
            await received.zero()

    values = await effort.per_operation(dispatches)
    return {row: value / subscribers for row, value in values.items()}


@on_trio
async def dispatch_trio(effort: Effort) -> Values:
    subscribers = [Inbox[str]() for _ in range(effort.number(SUBSCRIBERS))]
    received = Countdown(0)

    async def subscribe(inbox: Inbox[str]) -> None:
        while True:
            await inbox.take()
            received.down()

    async def dispatches(count: int) -> None:
        nonlocal received
        for _ in range(count):
            received = Countdown(len(subscribers))
            for inbox in subscribers:
                inbox.put("news")
            await received.zero()

    async with trio.open_nursery() as nursery:
        for inbox in subscribers:
            nursery.start_soon(subscribe, inbox)
        await wait_all_tasks_blocked()
        values = await effort.per_operation(dispatches)
        nursery.cancel_scope.cancel()
    return {row: value / len(subscribers) for row, value in values.items()}


SUBJECT = Subject(
    "registry",
    "Registry and limiter",
    (
        Figure(
            "lookup",
            "registry lookup",
            f"the entries of a key, in a registry of {SUBSCRIBERS:,} unique keys",
            (
                Contender(OURS, lookup_ours),
                Contender(TRIO, lookup_trio, "a dict"),
                elixir("registry", "lookup"),
            ),
        ),
        Figure(
            "dispatch",
            "registry dispatch to 1,000",
            "a message is sent to all subscribers and taken by each; per subscriber",
            (
                Contender(OURS, dispatch_ours),
                Contender(TRIO, dispatch_trio, "a list of deques"),
                elixir("registry", "dispatch"),
            ),
        ),
    ),
)
