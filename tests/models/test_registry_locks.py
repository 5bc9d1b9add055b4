"""The locks of a registry (17.8), against one queue for each key of each incarnation."""

from __future__ import annotations

import math
from collections.abc import Hashable

import trio
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from runtime import Pid, ProcessNotFound, Registry, kill, spawn, start
from tests.models.machine import NodeMachine, examples
from tests.models.registry_model import same
from tests.models.registry_parts import Names, Oops, confusable_keys


class Client:
    """Asks for one lock; when it has it, it does what it is told."""

    def __init__(self, names: Names, key: Hashable) -> None:
        self.names = names
        self.key = key
        self.state = "waits"
        self.pid: Pid | None = None
        self.scope = trio.CancelScope()
        self.tell, self.told = trio.open_memory_channel[str](math.inf)
        self.incarnation: int | None = None  # these two are the model's
        self.expected = "waits"

    async def run(self) -> None:
        """As a process, or as a plain task."""
        with self.scope:
            try:
                async with self.names.lock(self.key):
                    self.state = "has it"
                    async for what in self.told:
                        if what == "again":
                            await self.again()
                        elif what == "raise":
                            raise Oops
                        else:
                            break
            except trio.Cancelled:
                self.state = "gone"
                raise
            except (ProcessNotFound, Oops) as exc:
                self.state = type(exc).__name__
            else:
                self.state = "left"

    async def again(self) -> None:
        """A lock it already holds."""
        try:
            async with self.names.lock(self.key):
                self.state = "has it twice"
        except (RuntimeError, ProcessNotFound) as exc:
            self.state = f"has it, {type(exc).__name__}"

    def end(self) -> None:
        """A process is killed, a task is cancelled."""
        if self.pid is None:
            self.scope.cancel()
        else:
            kill(self.pid)


class LockMachine(NodeMachine):
    """A registry that comes and goes, and clients; of a queue of the model the first has it."""

    def __init__(self) -> None:
        super().__init__()
        self.names = Names("names")
        self.running = False
        self.incarnation = 0
        self.clients: list[Client] = []
        self.queues: list[tuple[int, Hashable, list[Client]]] = []
        self.keys: list[Hashable] = []

    @initialize(keys=confusable_keys(2))
    def begin(self, keys: list[Hashable]) -> None:
        self.keys = keys
        self.start_or_end(kills=True)

    async def end(self) -> None:
        kill(self.names)
        for client in self.clients:
            client.end()

    def queue(self, client: Client) -> list[Client] | None:
        """Where a client stands."""
        return next((queue for _, _, queue in self.queues if client in queue), None)

    def take_out(self, client: Client, why: str) -> None:
        """It has it or waits for it no longer; the first of the others has it now."""
        queue = self.queue(client)
        if queue is not None:
            queue.remove(client)
            client.expected = why
            if queue and queue[0].expected == "waits":
                queue[0].expected = "has it"

    def pick(self, number: int) -> Client | None:
        """One of those that wait or have it; or one that has ended, for 5."""
        here = [client for client in self.clients if (self.queue(client) is None) == (number == 5)]
        return here[number % len(here)] if here else None

    # -- steps --------------------------------------------------------------------------------

    @rule(kills=st.booleans())
    def start_or_end(self, kills: bool) -> None:
        """A registry's end frees and refuses nobody; its successor knows nothing of them."""
        was_running = self.running

        async def step() -> None:
            if not was_running:
                await start(Registry.child_spec().replace(name="names"))
            elif kills:
                kill(self.names)
            else:
                await self.names.stop()

        self.run(step)
        self.running = not was_running
        self.incarnation += self.running

    @rule(at=st.integers(0, 1), process=st.booleans(), times=st.integers(1, 3))
    def ask(self, at: int, process: bool, times: int) -> None:
        for _ in range(times):
            client = Client(self.names, self.keys[at])
            self.clients.append(client)
            self.start(client, process=process)
            if not self.running:
                client.expected = "ProcessNotFound"
                continue
            client.incarnation = self.incarnation
            for incarnation, key, queue in self.queues:
                if incarnation == self.incarnation and same(key, client.key):
                    queue.append(client)
                    break
            else:
                queue = [client]
                self.queues.append((self.incarnation, client.key, queue))
            client.expected = "has it" if queue[0] is client else "waits"

    def start(self, client: Client, *, process: bool) -> None:
        async def step() -> None:
            client.pid = spawn(client.run)

        if process:
            self.run(step)
        else:
            self.background(client.run)

    @rule(number=st.integers(0, 5), what=st.sampled_from(("leave", "raise", "again")))
    def tell(self, number: int, what: str) -> None:
        client = self.pick(number)
        if client is None or client.expected == "waits":
            return
        newer = self.running and client.incarnation != self.incarnation
        if what == "again" and newer:
            return  # its successor's lock is another one

        async def step() -> None:
            client.tell.send_nowait(what)

        self.run(step)
        if self.queue(client) is None:
            return
        if what == "again":
            error = "RuntimeError" if self.running else "ProcessNotFound"
            client.expected = f"has it, {error}"
        else:
            self.take_out(client, "left" if what == "leave" else "Oops")

    @rule(numbers=st.lists(st.integers(0, 4), min_size=1, max_size=4), leaves=st.booleans())
    def end_some(self, numbers: list[int], leaves: bool) -> None:
        """Holders and waiters end in one tick, in which a holder may leave as well."""
        chosen = [client for client in map(self.pick, numbers) if client is not None]
        if not chosen:
            return
        queue = self.queue(chosen[0])
        assert queue is not None
        leaving = [queue[0]] if leaves and queue[0] not in chosen else []

        async def step() -> None:
            for client in leaving:
                client.tell.send_nowait("leave")
            for client in chosen:
                client.end()

        self.run(step)
        for client in sorted(set(chosen), key=self.holds):
            self.take_out(client, "gone")
        for client in leaving:
            self.take_out(client, "left")

    def holds(self, client: Client) -> bool:
        """Whether it is the first in its queue."""
        queue = self.queue(client)
        return queue is not None and queue[0] is client

    @invariant()
    def everybody_has_what_the_model_says(self) -> None:
        assert [one.state for one in self.clients] == [one.expected for one in self.clients]


TestRegistryLocks = LockMachine.TestCase
TestRegistryLocks.settings = examples(60, 40)
