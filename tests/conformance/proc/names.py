"""Rows of PROC about names: one each, free when the holder is dead, refused when they cannot be."""

from __future__ import annotations

from typing import Any

import pytest

from runtime import (
    Down,
    NameTaken,
    ProcessNotFound,
    exit,
    monitor,
    named,
    receive,
    register,
    registered,
    unregister,
    whereis,
)
from tests.conformance.proc.parts import dead, peer
from tests.conformance.scenarios import row
from tests.support import in_process


@row("PROC-063")
async def a_name_is_free_when_the_down_is_received() -> None:
    holder = await peer(name="holder")

    async def watcher() -> None:
        ref = monitor(holder.pid)
        assert whereis("holder") is holder.pid
        exit(holder.pid, "boom")
        assert await receive() == Down(ref, holder.pid, "boom")
        assert whereis("holder") is None

    await in_process(watcher)


@row("PROC-064")
async def a_process_has_one_name() -> None:
    p = await peer()
    register("one", p.pid)
    with pytest.raises(NameTaken) as raised:
        register("two", p.pid)
    assert (raised.value.name, raised.value.pid) == ("one", p.pid)
    assert registered() == ["one"]


@row("PROC-065")
async def a_name_has_one_process() -> None:
    p, other = await peer(), await peer()
    register("one", p.pid)
    with pytest.raises(NameTaken) as raised:
        register("one", other.pid)
    assert (raised.value.name, raised.value.pid) == ("one", p.pid)
    assert whereis("one") is p.pid


@row("PROC-066")
async def the_dead_cannot_be_registered() -> None:
    pid = await dead()
    with pytest.raises(ProcessNotFound) as raised:
        register("name", pid)
    assert raised.value.target is pid
    assert registered() == []


@row("PROC-067")
async def what_means_nobody_is_no_name() -> None:
    p = await peer()
    reserved: list[Any] = [None, True, False]
    for name in reserved:
        with pytest.raises(TypeError, match=rf"^name: got {name}, allowed is a non-empty string$"):
            register(name, p.pid)
    assert registered() == []


@row("PROC-068")
async def an_unknown_name_cannot_be_unregistered() -> None:
    with pytest.raises(ProcessNotFound) as raised:
        unregister("nobody")
    assert raised.value.target == "nobody"


@row("PROC-069")
async def an_unknown_name_leads_to_nobody() -> None:
    assert whereis("nobody") is None
    assert named("nobody").whereis() is None
