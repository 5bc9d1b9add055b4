"""Rows of DYN about what is refused in the caller: no spec, a wrong one, nobody to ask."""

from __future__ import annotations

from typing import Any

import pytest

from runtime import CallExit, NoProcess, child_spec, whereis
from supervisors import DynamicSupervisorRef
from tests.conformance.scenarios import row
from tests.supervisors.dynamic_parts import counts, start_dynamic
from tests.supervisors.tree_parts import worker

NOBODY = DynamicSupervisorRef("nobody")


@row("DYN-016")
async def what_is_no_spec_is_refused_in_the_caller() -> None:
    sup = await start_dynamic()
    assert whereis("nobody") is None
    wrong: list[Any] = [{"id": "a"}, {"start": ("module", "function", [])}, None, "a"]
    for junk in wrong:
        for ask in (sup.start_child, NOBODY.start_child):
            with pytest.raises(TypeError) as caught:
                await ask(junk)
            assert str(caught.value).startswith(f"child: got {junk!r}, allowed are a ChildSpec")
    assert await counts(sup) == (0, 0, 0, 0)


WRONG: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"restart": "x"}, ValueError, "restart: got 'x', allowed are 'permanent', 'transient', 't"),
    ({"shutdown": -1}, ValueError, "shutdown: got -1, allowed is 0 or more seconds"),
    ({"shutdown": "x"}, ValueError, "shutdown: got 'x', allowed are seconds, math.inf and 'bru"),
    ({"modules": "x"}, TypeError, "replace: got 'modules', allowed are enabled, id, mailbox, n"),
]


@row("DYN-017")
async def a_wrong_field_of_a_spec_is_refused_in_the_caller() -> None:
    mfa: Any = ("module", "function", "no list")
    with pytest.raises(TypeError) as not_called:
        await NOBODY.start_child(child_spec(mfa))
    assert str(not_called.value).startswith(f"fn: got {mfa!r}, allowed is an async function")
    with pytest.raises(TypeError) as no_child:
        await NOBODY.start_child(mfa)
    assert str(no_child.value).startswith(f"child: got {mfa!r}, allowed are a ChildSpec")
    for fields, error, text in WRONG:
        with pytest.raises(error) as caught:
            await NOBODY.start_child(worker([], "a").replace(**fields))
        assert str(caught.value).startswith(text)


@row("DYN-018")
async def a_significant_child_is_refused() -> None:
    sup, log = await start_dynamic(), list[str]()
    spec = worker(log, "a").replace(restart="temporary", significant=True)
    for ask in (sup.start_child, NOBODY.start_child):
        with pytest.raises(ValueError, match=r"^significant of child 'a': got True, allowed is F"):
            await ask(spec)
    assert log == []
    assert await counts(sup) == (0, 0, 0, 0)


@row("DYN-019")
async def a_start_by_nobody_exits_the_caller() -> None:
    with pytest.raises(CallExit) as caught:
        await NOBODY.start_child(worker([], "a"))
    assert caught.value.reason == NoProcess()
