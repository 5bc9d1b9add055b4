"""Rows of REG about locks: who waits for whom, and what becomes of a lock whose holder ends."""

from __future__ import annotations

import trio

from runtime import Crashed, Killed, Normal, Pid, kill, spawn, wait_exit
from tests.conformance.reg.parts import Names, settled
from tests.conformance.scenarios import row
from tests.runtime.registering import start_registry


class Holders:
    """Processes that hold a lock for a second each; what they did, and when."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.began = trio.current_time()
        self.log: list[tuple[str, str, float]] = []

    async def start(self, who: str, key: object = "k", *, fails: bool = False) -> Pid:
        """Whoever is started first asks first."""

        async def hold() -> None:
            async with self.names.lock(key):
                self.note(who, "in")
                await trio.sleep(1)
                self.note(who, "out")
                if fails:
                    raise ValueError(who)

        pid = spawn(hold)
        await settled()
        return pid

    def note(self, who: str, what: str) -> None:
        self.log.append((who, what, trio.current_time() - self.began))


@row("REG-052")
async def a_lock_has_one_holder_and_another_key_is_another_lock() -> None:
    holders = Holders(await start_registry())
    pids = [await holders.start(who) for who in ("first", "second")]
    pids.append(await holders.start("elsewhere", "other key"))
    assert holders.log == [("first", "in", 0), ("elsewhere", "in", 0)]
    assert await wait_exit(pids[0]) == Normal()
    await settled()
    third = await holders.start("third")
    assert [await wait_exit(pid) for pid in (pids[1], third)] == [Normal(), Normal()]
    of_the_key = [one for one in holders.log if one[0] != "elsewhere"]
    assert of_the_key == [
        ("first", "in", 0), ("first", "out", 1), ("second", "in", 1), ("second", "out", 2),
        ("third", "in", 2), ("third", "out", 3),
    ]  # fmt: skip
    assert ("elsewhere", "out", 1) in holders.log


@row("REG-053")
async def a_holder_that_ends_frees_its_lock_and_a_waiter_that_ends_is_passed_over() -> None:
    holders = Holders(await start_registry())
    fails = await holders.start("fails", fails=True)
    killed = await holders.start("killed")
    waiter = await holders.start("waits and is killed")
    last = await holders.start("last")
    assert isinstance(await wait_exit(fails), Crashed)
    await settled()
    assert holders.log == [("fails", "in", 0), ("fails", "out", 1), ("killed", "in", 1)]
    kill(waiter)
    assert await wait_exit(waiter) == Killed()
    await settled()
    assert len(holders.log) == 3
    kill(killed)
    assert await wait_exit(last) == Normal()
    assert holders.log[3:] == [("last", "in", 1), ("last", "out", 2)]
