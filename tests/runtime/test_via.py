"""Names by way of a directory, whatever the directory is; of a registry: test_registry_via."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import pytest
import trio

from runtime import (
    AlreadyStarted,
    CallExit,
    Crashed,
    GenServer,
    Node,
    NoNode,
    NoProcess,
    ProcessNotFound,
    Ref,
    StartFailed,
    named,
    ref,
    send,
    spawn,
    start,
    wait_exit,
)
from runtime.current import current_table
from runtime.process import Process
from runtime.spawning import spawn_process
from runtime.via import Directory, Via, via
from tests.support import Ask, Scripted, stop_all


class Book(GenServer, Directory):
    """A directory in which a key may be anything but a number."""

    def __init__(self) -> None:
        self.found: dict[Hashable, Process] = {}
        self.values: list[object] = []

    def find(self, key: Hashable) -> Process | None:
        return self.found.get(key)

    def claim(self, key: Hashable, process: Process, value: object) -> None:
        if isinstance(key, int):
            raise ValueError(f"key: got {key!r}, allowed is no number")
        if key in self.found:
            raise AlreadyStarted(str(key), self.found[key].pid)
        assert process.status == "starting"
        self.found[key] = process
        self.values.append(value)


@pytest.fixture
async def book(node: Node) -> Ref:
    return await start(Book.child_spec().replace(name="book"))


def server_of(directory: Ref) -> Book:
    process = directory.find()
    assert process is not None
    server: Book = process.body.server  # type: ignore[attr-defined]
    return server


async def test_it_is_a_name_and_a_handle_at_once(book: Ref) -> None:
    name = via("book", "k", "value")
    started = await start(Scripted.child_spec().replace(name=name))
    assert server_of(book).values == ["value"]
    assert name.find() is started.find()
    assert name.pid is name.whereis() is started.pid
    assert await name.call(Ask(lambda _server, _reply_to: "here")) == "here"
    assert (name.incarnation, name.name, name.key) == (None, None, "k")


async def test_a_directory_is_given_by_name_pid_or_handle(book: Ref) -> None:
    started = await start(Scripted.child_spec().replace(name=via("book", "k")))
    for directory in ("book", book.pid, book, named("book")):
        assert via(directory, "k").pid is started.pid


@pytest.mark.parametrize("directory", [None, 7, Book])
async def test_anything_else_is_no_directory(node: Node, directory: Any) -> None:
    with pytest.raises(TypeError, match=r"^directory: got .* allowed are a name, a Pid and a R"):
        via(directory, "k")


async def test_a_key_must_be_hashable(node: Node) -> None:
    key: Any = []
    with pytest.raises(TypeError, match=r"^key: got \[\], allowed is anything hashable$"):
        via("book", key)


async def test_what_a_directory_refuses_fails_the_start(book: Ref) -> None:
    with pytest.raises(StartFailed, match=r"^book\[7\] did not start: .*got 7, allowed") as raised:
        await start(Scripted.child_spec().replace(name=via("book", 7)))
    assert isinstance(raised.value.reason, Crashed)
    assert raised.value.__cause__ is raised.value.reason.exception
    assert isinstance(raised.value.__cause__, ValueError)


async def test_a_key_that_is_taken_is_said_as_it_is(book: Ref) -> None:
    first = spawn(trio.sleep_forever, name=via("book", "k"))
    with pytest.raises(AlreadyStarted) as raised:
        spawn(trio.sleep_forever, name=via("book", "k"))
    assert raised.value.pid is first


async def test_where_nobody_is_it_behaves_as_any_name_nobody_holds(book: Ref) -> None:
    for name in (via("book", "nobody"), via("nobody", "k"), via(via("book", "no"), "k")):
        assert name.find() is None
        assert name.whereis() is None
        with pytest.raises(CallExit) as exited:
            await name.call(Ask(lambda _server, _reply_to: None))
        assert exited.value.reason == NoProcess()
        for fails in (lambda name=name: name.send("x"), lambda name=name: send(name, "x")):
            with pytest.raises(ProcessNotFound):
                fails()
        assert await wait_exit(name) == NoProcess()


async def test_a_name_in_a_directory_that_is_not_there_cannot_be_given(node: Node) -> None:
    inner = via("book", "inner")
    for directory in ("book", inner):
        with pytest.raises(StartFailed) as raised:
            spawn(trio.sleep_forever, name=via(directory, "k"))
        assert raised.value.reason == NoProcess()
        shown = repr(inner) if directory is inner else "named('book')"
        assert raised.value.__notes__ == [f"{shown}, which would register it, is not running"]


async def test_a_directory_that_is_just_starting_has_nobody(node: Node) -> None:
    spawn_process(current_table(), Book.child_spec().make_body(), label="book", name="book")
    assert via("book", "k").whereis() is None
    with pytest.raises(StartFailed):
        spawn(trio.sleep_forever, name=via("book", "k"))
    await trio.testing.wait_all_tasks_blocked()
    pid = spawn(trio.sleep_forever, name=via("book", "k"))
    assert via("book", "k").pid is pid


async def test_a_process_that_is_no_directory_is_refused(node: Node) -> None:
    await start(Scripted.child_spec().replace(name="server"))
    plain = spawn(trio.sleep_forever, name="plain")
    await trio.testing.wait_all_tasks_blocked()
    for directory in ("server", "plain", plain):
        name = via(directory, "k")
        with pytest.raises(TypeError, match=r"^directory: <Pid .*> is none, allowed are a Registr"):
            name.whereis()
        with pytest.raises(StartFailed) as raised:
            spawn(trio.sleep_forever, name=name)
        assert isinstance(raised.value.__cause__, TypeError)


@pytest.mark.real_clock
async def test_a_directory_is_not_read_from_a_foreign_thread(book: Ref) -> None:
    with pytest.raises(NoNode):
        await trio.to_thread.run_sync(via(book.pid, "k").whereis)
    with pytest.raises(NoNode):
        await trio.to_thread.run_sync(via("book", "k").whereis)


async def test_a_key_that_raises_fails_the_start_and_nothing_else(book: Ref) -> None:
    class Incomparable:
        def __eq__(self, other: object) -> bool:
            raise LookupError("no comparison")

        def __hash__(self) -> int:
            return 1

    first = spawn(trio.sleep_forever, name=via("book", Incomparable()))
    with pytest.raises(StartFailed) as raised:
        spawn(trio.sleep_forever, name=via("book", Incomparable()))
    assert isinstance(raised.value.__cause__, LookupError)
    await stop_all(first)


async def test_names_are_equal_if_directory_and_key_are(book: Ref) -> None:
    assert via("book", 1, "a") == via("book", 1, "b")
    assert hash(via("book", 1)) == hash(via("book", 1))
    different = [via("book", 1.0), via("book", True), via("other", 1), via(book, 1), via("book", 2)]
    assert [one for one in different if one == via("book", 1)] == []
    assert len({via("book", 1), via("book", 1), via("book", 1.0), via("book", True)}) == 3
    assert via("book", 1) != ("book", 1)
    assert via("book", (1,)) != via("book", (True,))


async def test_it_says_what_it_is(book: Ref) -> None:
    assert repr(via("book", "k")) == "via(named('book'), 'k')"
    assert str(via("book", "k")) == "book[k]"
    assert str(via("book", ("k", 1))) == "book[('k', 1)]"
    assert str(via(ref(book.pid), 7)) == f"{book.pid!r}[7]"
    pid = spawn(trio.sleep_forever, name=via("book", "k"))
    assert pid.label == "book[k]"
    assert isinstance(via("book", "k"), Via)


async def test_a_process_started_so_has_no_local_name(book: Ref) -> None:
    pid = spawn(trio.sleep_forever, name=via("book", "k"))
    process = ref(pid).find()
    assert process is not None
    assert process.name is None
    assert named("k").whereis() is None
    await stop_all(pid)


@pytest.mark.parametrize("name", [7, "", ("book", "k")])
def test_a_name_is_a_string_or_a_via(name: Any) -> None:
    with pytest.raises(TypeError, match=r"^name: got"):
        Scripted.child_spec().replace(name=name)
    with pytest.raises(TypeError, match=r"^name: got"):
        spawn(trio.sleep_forever, name=name)
