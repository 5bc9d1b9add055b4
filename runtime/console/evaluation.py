"""One evaluation: Python with ``await`` at the top, in the task of its session.

Whatever it raises becomes text. It has a cancel scope of its own for ctrl-C, and nothing it does
ends its session but what ends the session's process.
"""

from __future__ import annotations

import ast
import itertools
import linecache
from collections.abc import Awaitable, Coroutine, Generator
from inspect import CO_COROUTINE, iscoroutine
from pprint import pformat
from types import CodeType
from typing import Any, Final, Generic, TypeVar, cast

import trio
from trio.lowlevel import disable_ki_protection, enable_ki_protection

from runtime.console.breaking import Breakable
from runtime.console.frames import Done, Failed
from runtime.console.outputs import Sink, sink_var
from runtime.containment import clean, crash_of, outcome_of
from runtime.tracebacks import format_crash

T_co = TypeVar("T_co", covariant=True)

MAX_VALUE: Final = 100_000
"""Characters of a value that are shown."""

_PLAIN: Final = (dict, list, tuple, set, frozenset)
_ONE_LINE: Final = 100
_WIDE: Final = 79
_PRETTY: Final = 20_000
_SOURCES: Final = 200

_sessions: Final = itertools.count(1)  # of all consoles, as there is one linecache


class Asked(Generic[T_co]):
    """What a name at the prompt returns if it must wait: shown without ``await``, or awaited."""

    def __init__(self, name: str, ask: Coroutine[Any, Any, T_co]) -> None:
        self._name = name
        self._ask = ask

    def __await__(self) -> Generator[object, None, T_co]:
        return (yield from self._ask.__await__())  # which keeps this alive meanwhile

    def __del__(self) -> None:
        self._ask.close()

    def __repr__(self) -> str:
        return f"<{self._name}(...): await it>"


class Names:
    """The names of one session; they outlive its process."""

    def __init__(self, names: dict[str, object]) -> None:
        self.names = names
        self._session = next(_sessions)
        self._last = 0
        self._files: list[str] = []

    def remember(self, source: str) -> str:
        """A file name for this source, by which tracebacks find its lines."""
        self._last += 1
        file = f"<console {self._session}:{self._last}>"
        lines = [f"{line}\n" for line in source.splitlines()]
        linecache.cache[file] = (len(source), None, lines, file)
        self._files.append(file)
        if len(self._files) > _SOURCES:
            linecache.cache.pop(self._files.pop(0), None)
        return file

    def forget(self) -> None:
        """The client has left."""
        self.names.clear()
        for file in self._files:
            linecache.cache.pop(file, None)


class Evaluation:
    """The running of one source."""

    def __init__(self, number: int, source: str, sink: Sink) -> None:
        self.number = number
        self.breakable = Breakable()
        self.source = source
        self._sink = sink
        self._scope = trio.CancelScope()

    def cancel(self) -> None:
        """Interrupt it. The loop turns, so it awaits, and needs no signal."""
        self.breakable.wanted = False
        self._scope.cancel()

    @enable_ki_protection
    async def run(self, names: Names) -> Done | Failed:
        """Run it to its end, however it ends."""
        file = names.remember(self.source)
        token = sink_var.set(self._sink)
        try:
            with self.breakable:
                shown, crash = await outcome_of(self._run(names.names, file))
        finally:
            sink_var.reset(token)
        if crash is not None:
            return failure(self.number, crash)
        if self._scope.cancelled_caught:
            return Failed(self.number, "KeyboardInterrupt", "KeyboardInterrupt")
        return Done(self.number, shown)

    @enable_ki_protection
    async def _run(self, names: dict[str, object], file: str) -> str | None:
        with self._scope:
            statements, expression = _compiled(self.source, file)
            if statements is not None:
                await _perform(statements, names)
            if expression is None:
                return None
            value = await _perform(expression, names)
            if isinstance(value, Asked):
                value = await _awaited(cast("Asked[object]", value))
            return None if value is None else _remember_and_show(names, value)
        return None


def _compiled(source: str, file: str) -> tuple[CodeType | None, CodeType | None]:
    """All but the last expression, and that. Either may be missing."""
    tree = _parsed(source, file)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    statements = compile(tree, file, "exec", flags, dont_inherit=True) if tree.body else None
    if not isinstance(last, ast.Expr):
        return statements, None
    value = ast.Expression(last.value)
    return statements, compile(value, file, "eval", flags, dont_inherit=True)


def _parsed(source: str, file: str) -> ast.Module:
    """Without a frame of ``ast.parse`` in the traceback of a syntax error."""
    tree = compile(source, file, "exec", ast.PyCF_ONLY_AST, dont_inherit=True)
    return cast("ast.Module", tree)


async def _perform(code: CodeType, names: dict[str, object]) -> object:
    result = _eval(code, names)
    return await _awaited(result) if code.co_flags & CO_COROUTINE else result


@disable_ki_protection
def _eval(code: CodeType, names: dict[str, object]) -> Any:
    return eval(code, names)


@disable_ki_protection
async def _awaited(value: Awaitable[object]) -> object:
    return await value


@disable_ki_protection
def _remember_and_show(names: dict[str, object], value: object) -> str:
    names["_"] = value
    return shown(value)


def shown(value: object) -> str:
    """A value as the prompt shows it: on several lines if it is long, cut if it is too long."""
    text = clean(repr(value))
    if len(text) > MAX_VALUE:
        return f"{text[:MAX_VALUE]}... ({len(text)} characters)"
    if iscoroutine(value):
        return f"{text}: await it"
    if type(value) in _PLAIN and _ONE_LINE < len(text) < _PRETTY:
        return pformat(value, width=_WIDE, compact=True, sort_dicts=False)
    return text


def failure(number: int, crash: BaseException) -> Failed:
    """What it raised, as text: the exception itself would keep what it has touched alive."""
    kind = clean(crash_of(lambda: type(crash).__name__)[0] or "an exception without a name")
    text = clean(crash_of(format_crash, crash)[0] or f"{kind}, and its traceback cannot be shown")
    if len(text) > MAX_VALUE:
        half = MAX_VALUE // 2
        text = f"{text[:half]}\n... ({len(text)} characters)\n{text[-half:]}"
    return Failed(number, kind, text)
