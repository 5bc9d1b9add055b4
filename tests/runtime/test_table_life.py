"""Whose a table is: its name, who may do what, and its end with its owner."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable
from typing import Any

import pytest
import trio
import trio.testing

from runtime import (
    AccessDenied,
    Call,
    CallExit,
    Down,
    Event,
    GenServer,
    Instrument,
    NameTaken,
    Node,
    NoNode,
    ProcessEnded,
    Table,
    TableAccess,
    TableNotFound,
    handles,
    kill,
    monitor,
    named,
    open_node,
    receive,
    spawn,
    start,
    wait_exit,
)
from supervisors import open_supervisor
from tests.runtime.tables import a_table, names_of_tables, owner_of
from tests.support import in_process, stop_all

Operation = Callable[[Table[Any, Any]], object]

READING: dict[str, Operation] = {
    "lookup": lambda table: table.lookup(1),
    "member": lambda table: table.member(1),
    "items": lambda table: table.items(),
    "select": lambda table: table.select(lambda *_: True),
    "first": lambda table: table.first(),
    "last": lambda table: table.last(),
    "next": lambda table: table.next(1),
    "prev": lambda table: table.prev(1),
    "range": lambda table: table.range(),
}
WRITING: dict[str, Operation] = {
    "insert": lambda table: table.insert(1, 2),
    "insert_new": lambda table: table.insert_new(1, 2),
    "insert_many": lambda table: table.insert_many({1: 2}),
    "update_element": lambda table: table.update_element(1, 2),
    "update_counter": lambda table: table.update_counter(1),
    "delete": lambda table: table.delete(1),
    "take": lambda table: table.take(1),
    "select_delete": lambda table: table.select_delete(lambda *_: True),
    "delete_all": lambda table: table.delete_all(),
    "delete_table": lambda table: table.delete_table(),
}
OWNING: dict[str, Operation] = {
    "set_heir": lambda table: table.set_heir(None),
    "give_away": lambda table: table.give_away(named("nobody")),
}
FOR_ALL: dict[str, Operation] = {
    "len": len,
    "info": lambda table: table.info(),
}
EVERYTHING = {**READING, **WRITING, **OWNING, **FOR_ALL}

# ---------------------------------------------------------------------- who may do what


def denied(access: TableAccess) -> dict[str, Operation]:
    """What others may not do."""
    operations = dict(OWNING)
    if access != "public":
        operations |= WRITING
    if access == "private":
        operations |= READING
    return operations


@pytest.mark.parametrize("operation", EVERYTHING)
@pytest.mark.parametrize("access", ["private", "protected", "public"])
@pytest.mark.parametrize("who", ["a plain task", "another process"])
async def test_others_may_do_what_the_access_says(
    node: Node, who: str, access: TableAccess, operation: str
) -> None:
    owner = await owner_of("numbers", kind="ordered_set", access=access)
    await owner.do(lambda: owner.table.insert(1, 1))

    async def attempt() -> None:
        if operation not in denied(access):
            EVERYTHING[operation](owner.table)
            return
        with pytest.raises(AccessDenied) as caught:
            EVERYTHING[operation](owner.table)
        error = caught.value
        table = "<Table 'numbers', ordered_set of 1>"
        says = f"{operation}: only the owner {owner.pid!r} of {table} may, it is {access}"
        assert str(error) == says
        assert (error.operation, error.owner, error.access) == (operation, owner.pid, access)
        assert isinstance(error, PermissionError)
        assert await owner.do(lambda: owner.table.items() == [(1, 1)]) is None

    await (attempt() if who == "a plain task" else in_process(attempt))


@pytest.mark.parametrize("operation", [*READING, *WRITING, "set_heir", *FOR_ALL])
async def test_the_owner_may_do_everything(node: Node, operation: str) -> None:
    owner = await owner_of(kind="ordered_set", access="private")
    await owner.do(lambda: owner.table.insert(1, 1))
    assert await owner.do(lambda: EVERYTHING[operation](owner.table)) is None


async def test_a_helper_task_of_the_owner_is_the_owner(node: Node) -> None:
    async def body() -> int | None:
        table = Table[str, int](access="private")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(helper, table)
        return table.lookup("a")

    async def helper(table: Table[str, int]) -> None:
        table.insert("a", 1)

    assert await in_process(body) == 1


async def test_a_process_that_the_owner_starts_is_another(node: Node) -> None:
    async def body() -> None:
        table = Table[str, int](access="private")

        async def child() -> None:
            with pytest.raises(AccessDenied):
                table.lookup("a")

        await wait_exit(spawn(child))

    await in_process(body)


# ---------------------------------------------------------------------- names


async def test_a_table_is_found_by_its_name_at_each_use(node: Node) -> None:
    sessions = Table[str, int].named("sessions")
    with pytest.raises(TableNotFound) as caught:
        sessions.lookup("a")
    assert caught.value.name == "sessions"
    assert str(caught.value) == (
        "there is no table 'sessions': not made yet, deleted, or its owner has ended"
    )
    assert isinstance(caught.value, LookupError)
    for number in range(2):
        owner = await owner_of("sessions")
        sessions.insert("a", number)
        assert owner.table.lookup("a") == number
        await stop_all(owner.pid)
        with pytest.raises(TableNotFound):
            sessions.lookup("a")


@pytest.mark.parametrize("name", ["", 5, None])
async def test_a_name_is_a_string(node: Node, name: Any) -> None:
    with pytest.raises(TypeError, match=r"^name: got .*, allowed is a non-empty string$"):
        Table[str, int].named(name)


async def test_a_name_is_that_of_one_table(node: Node) -> None:
    owner = await owner_of("sessions")

    async def second() -> None:
        with pytest.raises(NameTaken) as caught:
            Table[str, int]("sessions")
        assert str(caught.value) == f"name 'sessions' is that of a table of {owner.pid!r}"
        assert (caught.value.name, caught.value.pid) == ("sessions", owner.pid)

    await in_process(second)
    owner.table.insert("a", 1)
    assert names_of_tables() == ["sessions"]


async def test_a_table_and_a_process_may_have_the_same_name(node: Node) -> None:
    async def body() -> None:
        Table[str, int]("sessions").insert("a", 1)
        await trio.sleep_forever()

    pid = spawn(body, name="sessions")
    await trio.testing.wait_all_tasks_blocked()
    assert Table[str, int].named("sessions").lookup("a") == 1
    await stop_all(pid)


async def test_a_deleted_table_frees_its_name_and_its_handles_lead_nowhere(node: Node) -> None:
    owner = await owner_of("sessions")
    await owner.do(owner.table.delete_table)
    with pytest.raises(TableNotFound, match=r"^there is no table 'sessions': "):
        len(owner.table)
    again = await owner_of("sessions")
    again.table.insert("a", 1)
    await stop_all(owner.pid)
    assert Table[str, int].named("sessions").lookup("a") == 1
    with pytest.raises(TableNotFound):
        owner.table.delete_table()


# ---------------------------------------------------------------------- the end


@pytest.mark.parametrize("operation", EVERYTHING)
async def test_a_table_is_gone_with_its_owner(node: Node, operation: str) -> None:
    owner = await owner_of(kind="ordered_set")
    owner.table.insert(1, 1)
    await stop_all(owner.pid)
    with pytest.raises(TableNotFound, match=r"^the table is gone: "):
        EVERYTHING[operation](owner.table)


async def test_all_tables_of_an_owner_go_with_it(node: Node) -> None:
    async def body() -> list[Table[Any, Any]]:
        return [Table(name) for name in ("a", "b", "c", None, None)]

    tables = await in_process(body)
    assert names_of_tables() == []
    for table in tables:
        with pytest.raises(TableNotFound):
            len(table)


async def test_a_table_is_gone_before_anybody_hears_of_the_end() -> None:
    """Instruments, callers, monitors and links."""
    gone: dict[str, bool] = {}
    sessions = Table[str, int].named("sessions")

    def look(who: str) -> None:
        try:
            sessions.lookup("a")
        except TableNotFound:
            gone[who] = True

    def on_end(event: Event) -> None:
        if isinstance(event, ProcessEnded) and event.name == "owner":
            look("instrument")

    async def monitoring() -> None:
        monitor(named("owner"))
        await receive(Down)
        look("monitor")

    async def calling() -> None:
        with pytest.raises(CallExit):
            await named("owner").call(Wait())
        look("caller")

    async with open_node(instruments=[Instrument(on_end, (ProcessEnded,))]):
        await start(Waiting.child_spec().replace(name="owner"))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(in_process, monitoring)
            nursery.start_soon(calling)
            await trio.testing.wait_all_tasks_blocked()
            kill(named("owner"))
    assert gone == {"instrument": True, "monitor": True, "caller": True}


class Wait(Call[None]):
    """Never answered."""


class Waiting(GenServer):
    """Owns a table, and does not answer."""

    def init(self) -> None:
        Table[str, int]("sessions").insert("a", 1)

    @handles(Wait)
    async def wait(self, request: Wait) -> None:
        await trio.sleep_forever()


async def test_a_restarted_owner_makes_its_table_anew() -> None:
    async with open_supervisor([Waiting.child_spec().replace(name="owner")]):
        sessions = Table[str, int].named("sessions")
        sessions_before = sessions.info().owner
        kill(named("owner"))
        await trio.sleep(1)
        assert sessions.lookup("a") == 1
        assert sessions.info().owner is not sessions_before


async def test_what_a_dead_table_held_is_freed_though_handles_are_kept(node: Node) -> None:
    class Value:
        """Something whose memory can be watched."""

    owner = await owner_of(kind="ordered_set")
    owner.table.insert(1, Value())
    freed = weakref.ref(owner.table.lookup(1))
    await stop_all(owner.pid)
    gc.collect()
    assert freed() is None


async def test_a_killed_owner_can_still_use_its_table_while_it_cleans_up(node: Node) -> None:
    seen: list[int | None] = []

    async def body() -> None:
        table = Table[str, int](access="private")
        table.insert("a", 1)
        try:
            await trio.sleep_forever()
        finally:
            seen.append(table.lookup("a"))

    pid = spawn(body)
    await trio.testing.wait_all_tasks_blocked()
    await stop_all(pid)
    assert seen == [1]


# ---------------------------------------------------------------------- threads


@pytest.mark.real_clock
@pytest.mark.parametrize("operation", EVERYTHING)
async def test_from_a_foreign_thread_everything_is_refused(node: Node, operation: str) -> None:
    owner = await owner_of("sessions", kind="ordered_set")
    owner.table.insert(1, 1)
    raised: list[Exception] = []

    def reach() -> None:
        for table in (owner.table, Table[Any, Any].named("sessions")):
            try:
                EVERYTHING[operation](table)
            except NoNode as exc:
                raised.append(exc)

    thread = threading.Thread(target=reach)
    thread.start()
    await trio.to_thread.run_sync(thread.join)
    assert len(raised) == 2
    assert owner.table.items() == [(1, 1)]


@pytest.mark.real_clock
async def test_a_thread_of_the_owner_uses_it_by_way_of_trio(node: Node) -> None:
    async def body() -> int | None:
        table = Table[str, int](access="private")

        def work() -> None:
            with pytest.raises(NoNode, match=r"trio\.from_thread\.run"):
                table.insert("a", 1)
            trio.from_thread.run_sync(table.insert, "a", 2)

        await trio.to_thread.run_sync(work)
        return table.lookup("a")

    assert await in_process(body) == 2


@pytest.mark.real_clock
async def test_two_nodes_have_tables_of_the_same_name(node: Node) -> None:
    table = await a_table()

    async def other() -> None:
        async with open_node():
            await owner_of("sessions")
            Table[str, int].named("sessions").insert("a", 2)
            with pytest.raises(NoNode):
                table.lookup("a")

    await owner_of("sessions")
    Table[str, int].named("sessions").insert("a", 1)
    await trio.to_thread.run_sync(trio.run, other)
    assert Table[str, int].named("sessions").lookup("a") == 1


@pytest.mark.real_clock
async def test_a_repr_never_raises(node: Node) -> None:
    await owner_of("sessions")
    table = Table[str, int].named("sessions")
    shown = await trio.to_thread.run_sync(repr, table)
    assert shown == "<Table 'sessions', not found here>"
