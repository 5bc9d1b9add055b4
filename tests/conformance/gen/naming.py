"""Rows of GEN about names: who has which, what leads to a server, where nobody is."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from runtime import (
    AlreadyStarted,
    CallCycle,
    CallExit,
    ChildSpec,
    NoProcess,
    Pid,
    Ref,
    Registry,
    StartFailed,
    Stop,
    named,
    process_info,
    ref,
    register,
    registered,
    self_,
    start,
    start_link,
    via,
    whereis,
)
from tests.conformance.gen.parts import HELLO, crash, left_in_mailbox
from tests.conformance.scenarios import row
from tests.runtime.counting import Add, Counter, Get
from tests.support import Ask, Scripted, in_process


async def start_names() -> None:
    """A registry, which names the processes that are started by ``via("names", key)``."""
    await start(Registry.child_spec().replace(name="names"))


async def ended() -> Ref:
    """The handle of a server that is gone."""
    server = await Scripted.start()
    await server.stop()
    return server


@row("GEN-016")
async def a_taken_name_is_refused_before_init() -> None:
    log: list[Any] = []
    holder = await start(Scripted.child_spec().replace(name="counter"))
    spec = Scripted.child_spec(log, init=lambda server: log.append("init")).replace(name="counter")

    async def starter() -> list[object]:
        for how in (start, start_link):
            with pytest.raises(AlreadyStarted) as refused:
                await how(spec)
            assert (refused.value.name, refused.value.pid) == ("counter", holder.pid)
        return await left_in_mailbox()

    assert await in_process(starter, trap=True) == []
    assert log == []
    assert whereis("counter") is holder.pid


@row("GEN-017")
async def a_server_is_registered_to_itself_during_init() -> None:
    found: list[tuple[Pid | None, Pid]] = []
    spec = Scripted.child_spec(init=lambda server: found.append((whereis("counter"), self_())))
    server = await start(spec.replace(name="counter"))
    assert found == [(server.pid, server.pid)]


@row("GEN-018")
async def the_name_is_free_when_init_has_failed() -> None:
    inits = (lambda server: Stop("no disk"), crash)
    for init in inits:
        with pytest.raises(StartFailed):
            await start(Scripted.child_spec(init=init).replace(name="counter"))
        assert whereis("counter") is None
    await start(Scripted.child_spec().replace(name="counter"))


@row("GEN-019")
async def what_is_no_name_is_refused_in_the_caller() -> None:
    """A local name is a string here, where OTP has an atom."""
    malformed: list[Any] = ["", 5, True, b"counter", ["counter"], ("via", "counter")]
    for name in malformed:
        with pytest.raises(TypeError, match=r"name: got .*, allowed is a non-empty string"):
            await start(Scripted.child_spec().replace(name=name))
    assert registered() == []


@row("GEN-020")
async def without_a_name_a_server_has_none() -> None:
    server = await start(Scripted.child_spec().replace(name=None))
    info = process_info(server)
    assert info is not None
    assert info.name is None
    assert registered() == []


@row("GEN-021")
async def a_server_is_called_by_what_it_was_started_by() -> None:
    """There is one node: a local name is a global one, and ``{name, node}`` is that name."""
    await start_names()
    for name, target in (("counter", named("counter")), (via("names", 7), via("names", 7))):
        server = await start(Scripted.child_spec().replace(name=name))
        for one in (target, server, ref(server.pid)):
            assert await one.call(Ask(lambda _server, _reply_to: self_())) is server.pid


@row("GEN-058")
async def a_call_to_nobody_is_an_exit_that_names_the_target() -> None:
    """differs: there is no handle of ``None`` to call, making one is a ``TypeError``."""
    gone = await ended()
    for target in (gone, ref(gone.pid), named("nobody")):
        with pytest.raises(CallExit) as refused:
            await target.call(HELLO)
        assert refused.value.reason == NoProcess()
        assert refused.value.target is target
        assert refused.value.request is HELLO
    refuse_a_handle_of_none()


def refuse_a_handle_of_none() -> None:
    """``None`` is what ``whereis`` says of a name that nobody holds."""
    nobody: Any = whereis("nobody")
    with pytest.raises(TypeError, match="pid: got None, allowed is a Pid"):
        ref(nobody)


@row("GEN-059")
async def a_server_that_calls_itself_gets_an_error_at_once() -> None:
    server = await start(Scripted.child_spec().replace(name="counter"))

    async def handler(one: object, reply_to: object) -> str:
        for me in (ref(self_()), named("counter")):
            with pytest.raises(CallCycle) as refused:
                await me.call(HELLO)
            assert (refused.value.target, refused.value.request) == (me, HELLO)
            assert refused.value.cycle == (self_(), self_())
        return "goes on"

    assert await server.call(Ask(handler)) == "goes on"
    assert await server.call(HELLO) == "hello"


@row("GEN-060")
async def by_a_via_name_that_is_not_registered_nobody_is_called() -> None:
    await start_names()
    nobody = via("names", "nobody")
    with pytest.raises(CallExit) as refused:
        await nobody.call(Get())
    assert refused.value.reason == NoProcess()
    assert refused.value.target is nobody
    nobody.cast(Add())


@row("GEN-061")
async def a_cast_to_nobody_vanishes() -> None:
    """differs: by way of a process that is no directory it is refused, as a slip."""
    gone = await ended()
    for target in (gone, ref(gone.pid), named("nobody"), via("no such directory", "key")):
        target.cast(Add())
    counter = await start(Counter.child_spec().replace(name="counter"))
    with pytest.raises(TypeError, match=r"directory: <Pid .* counter> is none, allowed are a Reg"):
        via("counter", "key").cast(Add())
    assert await counter.call(Get()) == 0


@row("GEN-084")
async def a_stop_of_nobody_is_an_exit_that_names_the_target() -> None:
    """differs: there is no handle of ``None`` to stop, making one is a ``TypeError``."""
    gone = await ended()
    for target in (gone, ref(gone.pid), named("nobody")):
        with pytest.raises(CallExit) as refused:
            await target.stop()
        assert refused.value.reason == NoProcess()
        assert refused.value.target is target
    refuse_a_handle_of_none()


def fields_of(spec: ChildSpec) -> dict[str, object]:
    return msgspec.structs.asdict(spec)


@row("GEN-092")
async def a_servers_spec_is_its_class_and_what_it_is_started_with() -> None:
    spec = Counter.child_spec(10)
    assert (spec.id, spec.target, spec.args, spec.kwargs) == ("Counter", Counter, (10,), {})
    assert await (await start(spec)).call(Get()) == 10
    other = spec.replace(id="hits", restart="transient", shutdown=1)
    given = {
        name: value for name, value in fields_of(other).items() if value != fields_of(spec)[name]
    }
    assert given == {"given_id": "hits", "restart": "transient", "shutdown": 1}
    assert other.id == "hits"


@row("GEN-093")
async def where_a_handle_leads() -> None:
    """differs: that of a dead pid leads to nobody; its ``pid`` is the pid, dead or alive."""
    await start_names()
    server = await start(Counter.child_spec().replace(name="counter"))
    other = await start(Counter.child_spec().replace(name=via("names", 7)))
    assert ref(server.pid).whereis() is server.pid
    assert named("counter").whereis() is whereis("counter") is server.pid
    assert named("nobody").whereis() is whereis("nobody") is None
    assert via("names", 7).whereis() is other.pid
    assert via("names", 8).whereis() is None
    await server.stop()
    gone = ref(server.pid)
    assert gone.whereis() is named("counter").whereis() is None
    assert gone.pid is server.pid


@row("GEN-095")
async def the_ancestors_of_a_server_begin_with_its_starter() -> None:
    """By its name, if it has one; and what the server is stands in its pid."""

    async def starter() -> tuple[Pid, tuple[Pid | str, ...], str]:
        server = await Counter.start()
        info = process_info(server)
        assert info is not None
        return self_(), info.ancestors, server.pid.label

    async def named_starter() -> tuple[Pid, tuple[Pid | str, ...], str]:
        register("boss")
        return await starter()

    pid, ancestors, what = await in_process(starter)
    assert (ancestors, what) == ((pid,), "Counter")
    pid, ancestors, what = await in_process(named_starter)
    assert (ancestors, what) == (("boss",), "Counter")
