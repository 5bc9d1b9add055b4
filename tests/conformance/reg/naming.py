"""Rows of REG about names by way of a registry: ``via``."""

from __future__ import annotations

import pytest

from runtime import (
    Agent,
    AlreadyStarted,
    CallExit,
    Crashed,
    Entry,
    NoProcess,
    Normal,
    ProcessNotFound,
    StartFailed,
    Stop,
    send,
    start,
    via,
)
from tests.conformance.reg.parts import links_of
from tests.conformance.scenarios import row
from tests.runtime.registering import start_registry
from tests.support import Ask, Do, Scripted


def here(*_: object) -> str:
    """What a server answers."""
    return "here"


@row("REG-039")
async def a_server_is_started_and_reached_by_its_key() -> None:
    names = await start_registry()
    name = via("names", "k")
    log: list[object] = []
    started = await start(Scripted.child_spec(log).replace(name=name))
    assert names.lookup("k") == [Entry(started.pid, None)]
    assert name.whereis() is names.whereis_name("k") is started.pid
    name.cast(Do(lambda server: server.log.append("cast")))
    assert await name.call(Ask(here)) == "here"
    await name.stop()
    assert log == ["cast", ("terminate", Normal())]
    assert (started.whereis(), name.whereis()) == (None, None)


@row("REG-040")
async def a_name_may_carry_a_value() -> None:
    names = await start_registry()
    started = await start(Scripted.child_spec().replace(name=via("names", "k", "value")))
    assert names.lookup("k") == [Entry(started.pid, "value")]
    for name in (via("names", "k"), via("names", "k", "value"), via("names", "k", "other")):
        assert name.whereis() is started.pid
        assert await name.call(Ask(here)) == "here"


@row("REG-041")
async def a_key_that_is_taken_starts_nothing() -> None:
    names = await start_registry()
    inits: list[object] = []
    spec = Scripted.child_spec(init=inits.append).replace(name=via("names", "k"))
    holder = await start(spec)
    for again in (spec, Agent.child_spec(dict).replace(name=via(names, "k"))):
        with pytest.raises(AlreadyStarted) as raised:
            await start(again)
        assert (raised.value.pid, raised.value.name) == (holder.pid, "k")
    assert len(inits) == 1
    assert names.select() == [("k", holder.pid, None)]


@row("REG-042")
async def a_key_is_free_when_init_has_failed() -> None:
    names = await start_registry()
    name = via("names", "k")
    during: list[object] = []

    def fail(_server: object) -> Stop:
        during.append(names.count())
        return Stop("nope")

    with pytest.raises(StartFailed) as raised:
        await start(Scripted.child_spec(init=fail).replace(name=name))
    assert raised.value.reason == "nope"
    assert during == [1]
    assert (names.lookup("k"), name.whereis(), links_of(names)) == ([], None, ())
    again = await start(Scripted.child_spec().replace(name=name))
    assert name.whereis() is again.pid


@row("REG-043")
async def a_key_is_nobodys_as_soon_as_its_server_was_stopped() -> None:
    await start_registry()
    name = via("names", "k")
    started = await start(Scripted.child_spec().replace(name=name))
    await started.stop()
    assert name.whereis() is None
    with pytest.raises(CallExit) as exited:
        await name.call(Ask(here))
    assert exited.value.reason == NoProcess()
    name.cast(Do(here))
    with pytest.raises(ProcessNotFound) as raised:
        send(name, "message")
    assert raised.value.target is name


@row("REG-044")
async def a_duplicate_registry_names_nobody() -> None:
    """differs: the start fails with that error as its reason, where OTP's raises it."""
    bus = await start_registry("duplicate", "bus")
    inits: list[object] = []
    spec = Scripted.child_spec(init=inits.append).replace(name=via("bus", "k"))
    with pytest.raises(StartFailed) as raised:
        await start(spec)
    assert isinstance(raised.value.reason, Crashed)
    refused = raised.value.reason.exception
    assert isinstance(refused, TypeError)
    assert str(refused).startswith("via: ")
    assert "is a registry of duplicate keys, allowed is one of unique keys" in str(refused)
    assert (inits, bus.count()) == ([], 0)
