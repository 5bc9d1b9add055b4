"""Work of a stage in which callbacks of the user are called, each ``def`` or ``async def``.

The choice: it is written once, as a generator that yields what a callback has returned and is sent
its value. It runs at once as far as nothing must be awaited, which costs no task switch, and the
rest, if there is any, is a coroutine for the server's loop.
"""

from __future__ import annotations

from collections.abc import Coroutine, Generator
from typing import Any, TypeAlias, cast

from trio.lowlevel import enable_ki_protection

from runtime.outcomes import Stop
from runtime.user_code import as_coroutine, await_user

Steps: TypeAlias = Generator[object, object, Stop | None]
"""Yields results of callbacks, is sent their values, returns ``Stop`` if the stage is to end."""

Performed: TypeAlias = Stop | None
"""``Stop`` if the stage is to end. To the loop of the server it may be a coroutine of that, too."""


@enable_ki_protection
def perform(steps: Steps) -> Performed:
    """Run the steps; if one must be awaited, return what is left to await."""
    awaited, stop = _run(steps, None)
    return stop if awaited is None else cast("Performed", _rest(steps, awaited))


def _run(steps: Steps, value: object) -> tuple[Coroutine[Any, Any, object] | None, Stop | None]:
    """Go on with this value, up to what must be awaited, or to the end."""
    while True:
        try:
            value = steps.send(value)
        except StopIteration as end:
            return None, end.value
        coroutine = as_coroutine(value)
        if coroutine is not None:
            return coroutine, None


@enable_ki_protection
async def _rest(steps: Steps, awaited: Coroutine[Any, Any, object]) -> Stop | None:
    try:
        while True:
            more, stop = _run(steps, await await_user(awaited))
            if more is None:
                return stop
            awaited = more
    finally:
        steps.close()
