"""Typed handles: where they lead, and what they are."""

from __future__ import annotations

from typing import Any

import pytest

from runtime import CallExit, Node, NoProcess, Pid, ProcessNotFound, Ref, named, ref, send, start
from runtime.handle import Handle, as_ref
from tests.support import Ask, Do, Note, Scripted, stop_all


class Numbers(Handle):
    """A handle with a request of its own."""

    __slots__ = ()

    async def double(self, number: int) -> int:
        result: int = await self.call(Ask(lambda _server, _reply_to: 2 * number))
        return result


class Others(Handle):
    """A handle of something else."""

    __slots__ = ()


@pytest.fixture
async def server(node: Node) -> Ref:
    return await start(Scripted.child_spec().replace(name="numbers"))


async def test_a_handle_is_made_of_a_name_a_pid_or_a_ref(server: Ref) -> None:
    for target in ("numbers", server.pid, server, named("numbers"), Numbers("numbers")):
        handle = Numbers(target)
        assert handle.whereis() is handle.pid is server.pid
        assert await handle.double(4) == 8


@pytest.mark.parametrize("target", [None, 7, b"numbers", Scripted, ("numbers",)])
async def test_a_handle_of_anything_else_is_refused(node: Node, target: Any) -> None:
    for make in (Numbers, as_ref):
        with pytest.raises(TypeError, match=r"^target: got .* allowed are a name, a Pid and a Ref"):
            make(target)


async def test_an_empty_name_is_refused(node: Node) -> None:
    with pytest.raises(TypeError, match=r"^name: got ''"):
        Numbers("")


async def test_by_name_it_follows_restarts(server: Ref) -> None:
    by_name, by_pid = Numbers("numbers"), Numbers(server.pid)
    first = server.pid
    assert (by_name.incarnation, by_name.name) == (None, "numbers")
    assert (by_pid.incarnation, by_pid.name) == (first, None)
    await stop_all(server)
    assert (by_name.whereis(), by_pid.whereis()) == (None, None)
    assert by_pid.pid is first
    with pytest.raises(ProcessNotFound) as raised:
        by_name.pid  # noqa: B018
    assert raised.value.target == named("numbers")
    again = await start(Scripted.child_spec().replace(name="numbers"))
    assert by_name.pid is again.pid is not first
    assert by_pid.whereis() is None


async def test_it_does_what_any_ref_does(server: Ref) -> None:
    log: list[Any] = []
    other = Numbers(await start(Scripted.child_spec(log)))
    other.cast(Do(lambda one: one.log.append("cast")))
    other.send(Note(text="one"))
    send(other, Note(text="two"))
    await other.stop()
    notes = [("info", Note(text="one")), ("info", Note(text="two"))]
    assert log[:3] == ["cast", *notes]
    with pytest.raises(CallExit) as raised:
        await other.double(1)
    assert raised.value.reason == NoProcess()
    assert raised.value.target is other
    other.send("vanishes")


async def test_two_handles_are_equal_if_class_and_target_are(server: Ref) -> None:
    pid = server.pid
    assert Numbers("numbers") == Numbers(named("numbers"))
    assert Numbers(pid) == Numbers(ref(pid))
    assert hash(Numbers("numbers")) == hash(Numbers(named("numbers")))
    assert len({Numbers("numbers"), Numbers("numbers"), Numbers(pid)}) == 2
    different: list[object] = [Others("numbers"), Numbers("other"), Numbers(pid), named("numbers")]
    assert [one for one in different if one == Numbers("numbers")] == []


async def test_its_repr_says_its_class_and_where_it_leads(server: Ref) -> None:
    assert repr(Numbers("numbers")) == "Numbers(named('numbers'))"
    pid: Pid = server.pid
    assert repr(Numbers(pid)) == f"Numbers(ref({pid!r}))"


async def test_as_ref_takes_a_ref_as_it_is(server: Ref) -> None:
    handle = Numbers("numbers")
    assert as_ref(handle) is handle
    assert as_ref(server) is server
