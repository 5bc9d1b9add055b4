"""Starting under a name, and who the parent and the ancestors are."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from runtime import (
    CallExit,
    Exit,
    Node,
    NoProcess,
    Pid,
    Ref,
    Shutdown,
    StartFailed,
    Stop,
    exit,
    kill,
    named,
    process_info,
    ref,
    self_,
    spawn,
    start,
    wait_exit,
    whereis,
)
from tests.support import Ask, Scripted


async def test_a_server_is_registered_while_its_init_runs(node: Node) -> None:
    """GEN-017."""
    found: list[tuple[Pid | None, Pid]] = []

    async def init(server: Scripted) -> None:
        found.append((whereis("counter"), self_()))
        await trio.sleep(1)

    server = await start(Scripted.child_spec(init=init).replace(name="counter"))
    assert found == [(server.pid, server.pid)]


async def test_the_name_is_free_again_when_init_has_failed(node: Node) -> None:
    """GEN-018."""
    spec = Scripted.child_spec(init=lambda server: Stop("no")).replace(name="counter")
    for _ in range(2):
        with pytest.raises(StartFailed):
            await start(spec)
        assert whereis("counter") is None


async def test_a_server_without_a_name_has_none(node: Node) -> None:
    """GEN-020."""
    server = await start(Scripted.child_spec().replace(name=None))
    info = process_info(server)
    assert info is not None
    assert info.name is None
    assert repr(server.pid).endswith(" Scripted>")


async def test_a_handle_by_name_follows_a_restart_and_a_handle_by_pid_does_not(node: Node) -> None:
    spec = Scripted.child_spec().replace(name="counter")
    old = await start(spec)
    kill(old)
    await wait_exit(old)
    new = await start(spec)
    request = Ask(lambda one, reply_to: self_())
    assert await named("counter").call(request) is new.pid
    with pytest.raises(CallExit) as caught:
        await old.call(request)
    assert caught.value.reason == NoProcess()


async def test_where_a_handle_leads(node: Node) -> None:
    """GEN-093. differs: ``None`` stands for nil; ``pid`` insists that somebody is there."""
    server = await start(Scripted.child_spec().replace(name="counter"))
    pid = server.pid
    assert [one.whereis() for one in (server, ref(pid), named("counter"))] == [pid, pid, pid]
    assert named("nobody").whereis() is None
    await server.stop()
    assert [one.whereis() for one in (server, ref(pid), named("counter"))] == [None, None, None]
    assert (server.pid, ref(pid).pid) == (pid, pid), "a pid stays one after its process"
    with pytest.raises(LookupError, match="counter"):
        named("counter").pid  # noqa: B018
    assert whereis("counter") is None


@pytest.mark.parametrize("junk", [None, "counter", 7, named("counter")])
def test_a_handle_is_made_of_a_pid_only(junk: Any) -> None:
    with pytest.raises(TypeError, match=r"pid: got .*, allowed is a Pid"):
        ref(junk)


async def test_handles_compare_by_where_they_lead(node: Node) -> None:
    """So they can be keys and members of sets, as pids can."""
    one = await start(Scripted.child_spec())
    two = await start(Scripted.child_spec())
    assert one == ref(one.pid) != two
    assert len({one, ref(one.pid), two}) == 2
    assert named("x") == named("x") != named("y")
    assert len({named("x"), named("x"), named("y")}) == 2
    assert named("x") != one
    assert one != named("x")
    pid = one.pid
    await one.stop()
    assert ref(pid) == ref(pid), "also the handles of the dead"
    assert one == ref(pid)
    assert hash(one) == hash(ref(pid))
    assert (one.incarnation, named("x").incarnation) == (pid, None)


async def test_handles_say_what_they_are(node: Node) -> None:
    server = await start(Scripted.child_spec().replace(name="counter"))
    pid = server.pid
    texts = [repr(named("counter")), repr(server), repr(ref(pid))]
    assert texts == ["named('counter')", f"ref({pid!r})", f"ref({pid!r})"]
    await server.stop()
    assert repr(ref(pid)) == f"ref({pid!r})"


async def test_ancestors_begin_with_the_starter(node: Node) -> None:
    """GEN-095: by its name, if it has one."""
    seen: dict[str, tuple[Pid | str, ...]] = {}
    pids: dict[str, Pid] = {}

    def look(target: Ref, key: str) -> None:
        info = process_info(target)
        assert info is not None
        seen[key] = info.ancestors

    async def start_another(server: Scripted, _reply_to: object) -> None:
        pids["first"] = self_()
        look(await start(Scripted.child_spec()), "grandchild")

    async def starter() -> None:
        pids["starter"] = self_()
        server = await start(Scripted.child_spec())
        look(server, "child")
        await server.call(Ask(start_another))

    await wait_exit(spawn(starter, name="boss"))
    assert seen == {"child": ("boss",), "grandchild": (pids["first"], "boss")}
    await wait_exit(spawn(starter))
    assert seen == {
        "child": (pids["starter"],),
        "grandchild": (pids["first"], pids["starter"]),
    }
    look(await start(Scripted.child_spec()), "of a plain task")
    assert seen["of a plain task"] == ()


async def test_a_stranger_is_no_parent(node: Node) -> None:
    """Only the starter's end, not everybody's exit signal, ends a server that traps exits."""
    log: list[Any] = []
    server = await start(Scripted.child_spec(log))
    await server.call(Ask(lambda one, reply_to: setattr(one, "x", _trap())))
    exit(server, Shutdown())
    await trio.sleep(1)
    assert log == [("info", Exit(None, Shutdown()))]


def _trap() -> bool:
    from runtime import trap_exits

    return trap_exits()
