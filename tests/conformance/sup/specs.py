"""Rows of SUP about what a supervisor is made of: options, child specs, their defaults."""

from __future__ import annotations

import math
from typing import Any

import pytest
import trio

from runtime import GenServer, child_spec, is_alive, start
from supervisors import Supervisor, SupervisorRef
from tests.conformance.scenarios import row
from tests.conformance.sup.parts import inits, pids, refusal
from tests.supervisors.tree_parts import (
    Ping,
    Worker,
    child,
    crash,
    drain,
    kids,
    start_supervisor,
    worker,
    workers,
)


@row("SUP-013")
async def a_wrong_option_of_a_supervisor_is_refused_with_its_value() -> None:
    assert await refusal([], strategy="one_for_none") == (
        "strategy: got 'one_for_none', allowed are 'one_for_one', 'one_for_all', 'rest_for_one'"
    )
    assert await refusal([], max_restarts=-1) == (
        "max_restarts: got -1, allowed is an int of 0 or more"
    )
    assert await refusal([], max_seconds=0) == "max_seconds: got 0, allowed is a number above 0"
    assert await refusal([], auto_shutdown="some") == (
        "auto_shutdown: got 'some', allowed are 'never', 'any_significant', 'all_significant'"
    )


@row("SUP-014")
async def a_supervisor_without_a_strategy_starts() -> None:
    """differs: the strategy may be left out, and is one_for_one."""
    log: list[str] = []
    sup = SupervisorRef(await start(Supervisor.child_spec(workers(log, "abc"))))
    drain(log)
    await crash(sup, "b")
    assert log == ["terminate b boom", *inits("b")]


@row("SUP-015")
async def a_child_without_a_start_is_refused() -> None:
    """differs: a spec without an id is taken; it is called after what it starts."""
    explained = (
        "children: got {'id': 'a'}, allowed are a ChildSpec such as Counter.child_spec(10), "
        "a GenServer class, an async function, and None for a child left out"
    )
    assert await refusal([{"id": "a"}]) == explained
    sup = await start_supervisor([child_spec(trio.sleep_forever)])
    nameless: Any = {"id": "a"}
    with pytest.raises(TypeError) as caught:
        await sup.start_child(nameless)
    assert str(caught.value) == explained
    await sup.start_child(Worker.child_spec([], "a"))
    assert await kids(sup) == "Worker=up sleep_forever=up"


@row("SUP-016")
async def a_wrong_field_of_a_spec_is_refused_with_its_value() -> None:
    """differs: there is no list of modules, right or wrong, and a function for the mfa."""
    sup = await start_supervisor([])

    async def refused(**options: Any) -> str:
        with pytest.raises((TypeError, ValueError)) as caught:
            await sup.start_child(worker([], "a").replace(**options))
        return str(caught.value)

    assert await refused(restart="always") == (
        "restart: got 'always', allowed are 'permanent', 'transient', 'temporary'"
    )
    assert await refused(type="manager") == (
        "type: got 'manager', allowed are 'worker', 'supervisor'"
    )
    assert await refused(shutdown=-1) == "shutdown: got -1, allowed is 0 or more seconds"
    assert (await refused(modules=[5])).startswith("replace: got 'modules', allowed are ")
    no_function: Any = print
    with pytest.raises(TypeError, match=r"fn: got <built-in function print>, allowed is"):
        await sup.start_child(child_spec(no_function))
    assert await sup.which_children() == []


@row("SUP-017")
async def the_defaults_of_a_supervisor() -> None:
    """differs: there is one constructor and no level below it, so they are always 3 in 5."""
    log: list[str] = []
    sup = await start_supervisor(workers(log, "abc"))
    drain(log)
    for _ in range(3):
        await crash(sup, "b")
    assert drain(log) == ["terminate b boom", "init b"] * 3
    await trio.sleep(5.5)
    for _ in range(3):
        await crash(sup, "b")
    await trio.sleep(5)
    assert is_alive(sup)
    await crash(sup, "b")
    assert not is_alive(sup)


@row("SUP-018")
async def the_defaults_of_a_spec() -> None:
    spec = Worker.child_spec([], "a")
    assert (spec.restart, spec.type, spec.shutdown) == ("permanent", "worker", 5.0)
    assert (spec.id, spec.behaviour, spec.significant) == ("Worker", "Worker", False)
    nested = Supervisor.child_spec([])
    assert (nested.restart, nested.type, nested.shutdown) == ("permanent", "supervisor", math.inf)
    assert (nested.id, nested.behaviour, nested.significant) == ("Supervisor", "Supervisor", False)


@row("SUP-090")
async def a_significant_child_that_could_never_end_its_supervisor_is_refused() -> None:
    permanent = "significant: a permanent child is always restarted and never ends its supervisor"
    with pytest.raises(ValueError, match=permanent):
        worker([], "s").replace(restart="permanent", significant=True)
    spec = worker([], "s").replace(restart="transient", significant=True)
    never = (
        "significant of child 's': the supervisor's auto_shutdown is 'never', "
        "so its end could not end the supervisor"
    )
    assert await refusal([spec], auto_shutdown="never") == never
    sup = await start_supervisor([])
    with pytest.raises(ValueError) as caught:
        await sup.start_child(spec)
    assert str(caught.value) == never
    assert await sup.which_children() == []


class Plain(GenServer):
    """A server that needs no arguments."""


@row("SUP-093")
async def a_child_is_a_class_or_a_spec_with_arguments() -> None:
    log: list[str] = []
    sup = await start_supervisor([Plain, Worker.child_spec(log, "given"), worker(log, "x")])
    assert list(await pids(sup)) == ["x", "Worker", "Plain"]
    assert await kids(sup) == "x=up Worker=up Plain=up"
    assert await (await child(sup, "Worker")).call(Ping()) == "given"
    assert await refusal([int]) == (
        "children: got <class 'int'>, allowed are a ChildSpec such as Counter.child_spec(10), "
        "a GenServer class, an async function, and None for a child left out"
    )


@row("SUP-094")
async def an_unknown_key_of_a_spec_is_refused() -> None:
    unknown: Any = {"budget": 3}
    with pytest.raises(TypeError) as caught:
        worker([], "a").replace(**unknown)
    assert str(caught.value) == (
        "replace: got 'budget', allowed are "
        "enabled, id, mailbox, name, restart, shutdown, significant, type"
    )
