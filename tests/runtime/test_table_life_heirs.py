"""A table that changes hands: given away, or left to an heir."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import trio
import trio.testing

from runtime import (
    AccessDenied,
    Down,
    MailboxLimit,
    Node,
    Pid,
    ProcessNotFound,
    Table,
    TableNotFound,
    TableTransfer,
    kill,
    monitor,
    named,
    receive,
    self_,
    send,
    spawn,
    wait_exit,
)
from runtime.current import Address, find_process
from runtime.process import Process
from tests.runtime.tables import names_of_tables, owner_of
from tests.support import in_process, stop_all


async def test_the_heir_gets_the_table_and_is_told(node: Node) -> None:
    heir, owner = await owner_of(), await owner_of("sessions", access="private")
    owner_pid = owner.pid
    await owner.do(lambda: owner.table.insert("a", 1))
    await owner.do(lambda: owner.table.set_heir(heir.pid, "look after it"))
    await stop_all(owner.pid)
    await trio.testing.wait_all_tasks_blocked()
    assert heir.messages == [TableTransfer(owner.table, owner_pid, "look after it")]
    assert Table[str, int].named("sessions").info().owner is heir.pid
    with pytest.raises(AccessDenied):
        owner.table.lookup("a")
    values: list[object] = []
    assert await heir.do(lambda: values.append(owner.table.lookup("a"))) is None
    assert values == [1]
    await stop_all(heir.pid)
    assert names_of_tables() == []


async def test_an_heir_can_be_named_when_the_table_is_made(node: Node) -> None:
    heir = await owner_of()
    owner = await owner_of(heir=heir.pid)
    await stop_all(owner.pid)
    await trio.testing.wait_all_tasks_blocked()
    assert heir.messages == [TableTransfer(owner.table, owner.pid, None)]


async def test_the_heir_owns_the_table_before_anybody_hears_of_the_end(node: Node) -> None:
    heir = await owner_of()
    owner = await owner_of("sessions", heir=heir.pid)

    async def watching() -> Pid:
        monitor(owner.pid)
        kill(owner.pid)
        await receive(Down)
        return Table[Any, Any].named("sessions").info().owner

    assert await in_process(watching) is heir.pid


async def test_an_heir_by_name_is_whoever_has_the_name_then(node: Node) -> None:
    owner = await owner_of("sessions", heir=named("keeper"))

    async def keeper() -> None:
        message = await receive(TableTransfer)
        assert message.table.info().owner is self_()

    pid = spawn(keeper, name="keeper")
    await stop_all(owner.pid)
    await wait_exit(pid)
    with pytest.raises(TableNotFound):
        len(owner.table)


class Lost(Address):
    """Leads to whatever it is told, or raises."""

    def __init__(self, find: Callable[[], Process | None]) -> None:
        self._find = find

    @property
    def incarnation(self) -> Pid | None:
        return None

    def find(self) -> Process | None:
        return self._find()


def raises() -> None:
    raise LookupError("the directory is lost")


async def test_without_a_living_heir_the_table_is_gone(node: Node) -> None:
    dead = await owner_of()
    process = find_process(dead.pid)
    await stop_all(dead.pid)
    heirs = [None, dead.pid, named("nobody"), Lost(raises), Lost(lambda: process)]
    for heir in heirs:
        owner = await owner_of("sessions", heir=heir)
        await stop_all(owner.pid)
        with pytest.raises(TableNotFound):
            len(owner.table)
    assert names_of_tables() == []


async def test_an_owner_is_no_heir_of_itself(node: Node) -> None:
    async def body() -> Table[str, int]:
        return Table[str, int]("sessions", heir=self_())

    table = await in_process(body)
    with pytest.raises(TableNotFound):
        len(table)


async def test_an_heir_that_is_itself_about_to_die_takes_the_table_along(node: Node) -> None:
    heir = await owner_of()
    owner = await owner_of("sessions", heir=heir.pid)
    kill(owner.pid)
    kill(heir.pid)
    await wait_exit(owner.pid)
    await wait_exit(heir.pid)
    assert names_of_tables() == []


async def test_the_last_heir_that_was_set_counts(node: Node) -> None:
    first, second = await owner_of(), await owner_of()
    owner = await owner_of(heir=first.pid)
    await owner.do(lambda: owner.table.set_heir(second.pid, "yours"))
    await stop_all(owner.pid)
    assert owner.table.info().owner is second.pid
    assert first.messages == []


async def test_an_heir_can_be_taken_away(node: Node) -> None:
    heir = await owner_of()
    owner = await owner_of(heir=heir.pid)
    await owner.do(lambda: owner.table.set_heir(None))
    await stop_all(owner.pid)
    with pytest.raises(TableNotFound):
        len(owner.table)


async def test_what_is_no_target_is_refused(node: Node) -> None:
    owner = await owner_of()
    wrong: Any = "keeper"
    error = await owner.do(lambda: owner.table.set_heir(wrong))
    assert str(error) == (
        "heir: got 'keeper', allowed are a Pid, a Ref such as named('x') and None"
    )
    error = await owner.do(lambda: owner.table.give_away(wrong))
    assert isinstance(error, TypeError)
    assert str(error).startswith("target: got 'keeper', allowed are a Pid and a Ref")


async def test_a_table_is_given_away_while_its_owner_lives(node: Node) -> None:
    taker, owner = await owner_of(), await owner_of("sessions", access="protected")
    assert await owner.do(lambda: owner.table.give_away(taker.pid, ["data"])) is None
    await trio.testing.wait_all_tasks_blocked()
    assert taker.messages == [TableTransfer(owner.table, owner.pid, ["data"])]
    assert isinstance(await owner.do(lambda: owner.table.insert("a", 1)), AccessDenied)
    assert await taker.do(lambda: owner.table.insert("a", 1)) is None
    await stop_all(owner.pid)
    assert owner.table.lookup("a") == 1
    await stop_all(taker.pid)
    with pytest.raises(TableNotFound):
        len(owner.table)


async def test_a_table_goes_back_and_forth(node: Node) -> None:
    one, two = await owner_of(), await owner_of()
    for _ in range(3):
        assert await one.do(lambda: one.table.give_away(two.pid)) is None
        assert await two.do(lambda: one.table.give_away(one.pid)) is None
    await stop_all(two.pid)
    assert one.table.info().owner is one.pid


async def test_the_heir_stays_when_a_table_is_given_away(node: Node) -> None:
    heir, taker = await owner_of(), await owner_of()
    owner = await owner_of(heir=heir.pid)
    await owner.do(lambda: owner.table.give_away(taker.pid))
    await stop_all(taker.pid)
    assert owner.table.info().owner is heir.pid


async def test_nobody_and_the_owner_cannot_be_given_a_table(node: Node) -> None:
    owner = await owner_of()
    error = await owner.do(lambda: owner.table.give_away(named("nobody")))
    assert isinstance(error, ProcessNotFound)
    error = await owner.do(lambda: owner.table.give_away(owner.pid))
    assert isinstance(error, ValueError)
    assert str(error).endswith("allowed is another process than the owner")
    assert owner.table.info().owner is owner.pid


@pytest.mark.parametrize("policy", ["raise", "drop_newest", "drop_oldest"])
async def test_a_transfer_counts_for_no_limit_and_is_never_dropped(node: Node, policy: Any) -> None:
    got: list[object] = []

    async def heir() -> None:
        await trio.sleep(1)
        got.append(await receive(TableTransfer, timeout=0.5))
        got.append(await receive(str, timeout=0.5))

    pid = spawn(heir, mailbox=MailboxLimit(1, policy=policy))
    owner = await owner_of(heir=pid)
    await stop_all(owner.pid)
    send(pid, "one more")
    await wait_exit(pid)
    assert got == [TableTransfer(owner.table, owner.pid, None), "one more"]
