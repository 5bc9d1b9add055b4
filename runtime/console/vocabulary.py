"""The names at the prompt. A process is meant by name, number, pid or handle.

What must wait is shown without ``await``; to go on with its value write ``await``. Names of Python
that would read the service's own terminal, or end it, are replaced.
"""

from __future__ import annotations

import pydoc
import sys
import textwrap
import time
from collections.abc import Callable
from functools import partial
from typing import Final, NoReturn, TypeAlias

from msgspec import structs

from runtime.calls import named, ref
from runtime.console.acts import Restart, act, in_turn, said, server
from runtime.console.evaluation import Asked
from runtime.console.finding import NotFound, Who, process_of
from runtime.console.frames import Action
from runtime.console.outputs import Outputs
from runtime.console.questions import info as info_of
from runtime.console.texts import (
    Shown,
    crash_text,
    crashes_text,
    info_text,
    stack_text,
    top_text,
    tree_text,
)
from runtime.current import current_table
from runtime.inspection.sampling import sampler_of
from runtime.inspection.snapshot import crashes as crashes_of
from runtime.inspection.snapshot import mailbox_of, snapshot
from runtime.inspection.tracing import trace as trace_it
from runtime.inspection.tracing import untrace as untrace_it
from runtime.inspection.views import ProcessView, Sort, TraceEvent
from runtime.introspection import get_state
from runtime.introspection import replace_state as replace_state_of
from runtime.names import registered
from runtime.pid import Pid
from runtime.signals import kill as kill_it
from runtime.watchdogs.stacks import stack_of, stack_of_loop

State: TypeAlias = dict[str, object]

_NARROW: Final = 79
"""Characters in a line that any terminal has room for."""

_HELP: Final = """\
tree()  top()  info("name")  state("name")      h(state) tells more of a name
a process is meant by name, number, pid or handle
await works; _ is the last value
"""


def vocabulary(restart: Restart, package: object) -> dict[str, object]:
    """The names of a new session. ``package`` is what ``runtime`` means there."""
    functions: tuple[Callable[..., object], ...] = (
        tree, top, info, state, mailbox, where, links, names, whereis, crashes, crash, trace,
        untrace, kill, replace_state, pid,
    )  # fmt: skip
    known: dict[str, object] = {one.__name__: one for one in functions}
    known |= {one.__name__: one for one in _acts(restart)}
    known |= {"named": named, "ref": ref}

    def h(name: object = None) -> Shown:
        """This list, or all about one name: ``h(state)``."""
        if name is not None:
            return help(name)
        lines = [_said_of(key, value) for key, value in sorted(known.items())]
        return Shown(_HELP + "\n" + "\n".join(lines))

    known |= {"h": h, "runtime": package}
    return {
        "__name__": "__console__", "__builtins__": __builtins__, **known,
        "help": help, "exit": leave, "quit": leave, "input": no_terminal, "breakpoint": no_terminal,
    }  # fmt: skip


def _said_of(name: str, value: object) -> str:
    first = pydoc.splitdoc(pydoc.getdoc(value))[0]
    return textwrap.fill(f"{name:<14}{first}", _NARROW, subsequent_indent=" " * 14)


# -- looking ------------------------------------------------------------------------------


def tree(who: Who | None = None, siblings: int = 20) -> Shown:
    """The processes as a tree, or one and what is below it: ``tree("shop")``.

    Of the children of one process at most ``siblings`` are shown.
    """
    found = snapshot()
    if who is None:
        return tree_text(found, siblings)
    inside = {process_of(who).pid.number}
    chosen: list[ProcessView] = []
    for view in found.processes:
        if view.pid in inside or view.parent in inside:
            inside.add(view.pid)
            chosen.append(view)
    return tree_text(structs.replace(found, processes=tuple(chosen)), siblings)


def top(sort: Sort = "mailbox", limit: int = 20, find: str = "") -> Shown:
    """The first by "mailbox", "rate", "restarts" or "pid"; ``find`` is a name.

    ``top(find="work", limit=5)``: the five with the longest mailboxes of all that have "work" in
    their names. "cpu" is there as well while an ``otp top`` looks, which measures it.
    """
    sampler_of().sample()
    return top_text(snapshot(sort=sort, limit=limit, find=find))


def info(who: Who) -> Shown:
    """One process in detail, without asking it."""
    return info_text(info_of(process_of(who)))


def state(who: Who) -> Asked[State]:
    """The attributes of a server, once it has handled what was sent before."""
    process = process_of(who)
    return Asked("state", in_turn(process, partial(get_state, server(process))))


def mailbox(who: Who, limit: int = 20) -> list[str]:
    """The messages that wait, as text."""
    return [Shown(text) for text in mailbox_of(process_of(who).pid, limit)]


def where(who: Who | None = None) -> Shown:
    """Where a process sleeps; without one, what the loop does."""
    if who is None:
        return stack_text(stack_of_loop(current_table()))
    return Shown("\n".join(stack_of(process_of(who))) or "it waits for messages")


def links(who: Who) -> list[Pid]:
    """The processes that end when it ends abnormally, and the other way round."""
    process = process_of(who)
    return [other.pid for other in process.links.linked()]


def names() -> list[str]:
    """The registered names."""
    return registered()


def whereis(who: Who) -> Pid | None:
    """The pid that is meant, or None."""
    try:
        return process_of(who).pid
    except NotFound:
        return None


def pid(number: int) -> Pid:
    """The pid of this number."""
    return process_of(number).pid


def crashes(limit: int = 20) -> Shown:
    """The last crashes, newest last."""
    return crashes_text(crashes_of(limit))


def crash(number: int = -1) -> Shown:
    """One of the last crashes with its traceback; -1 is the newest."""
    found = crashes_of(1_000_000)
    if not -len(found) <= number < len(found):
        raise NotFound(f"there is no crash {number}; {len(found)} are known")
    return crash_text(found[number])


# -- following ----------------------------------------------------------------------------


def trace(who: Who, limit: int = 100) -> Asked[Shown]:
    """Print each message a server takes and what came of it, so many at most."""
    process, sink = process_of(who), Outputs.sink() or sys.stdout.write

    def tell(event: TraceEvent) -> None:
        sink(_trace_line(said(process), event))

    async def begin() -> Shown:
        await in_turn(process, partial(trace_it, server(process), tell, limit=limit))
        return Shown(f"tracing {said(process)}, {limit} events at most; untrace({who!r}) ends it")

    return Asked("trace", begin())


def untrace(who: Who) -> Asked[Shown]:
    """Trace a server no more, whoever has begun it."""
    process = process_of(who)

    async def end() -> Shown:
        await in_turn(process, partial(untrace_it, server(process)))
        return Shown(f"{said(process)} is not traced any more")

    return Asked("untrace", end())


def _trace_line(process: str, event: TraceEvent) -> str:
    at = time.strftime("%H:%M:%S", time.localtime(event.at))
    took = "" if event.seconds is None else f" after {event.seconds * 1000:.2f} ms"
    text = "" if event.text is None else f" {event.text}"
    return f"{at} {process} {event.what}{took}{text}\n"


# -- doing --------------------------------------------------------------------------------


def kill(who: Who) -> Shown:
    """End a process at once; its supervisor decides what follows."""
    process = process_of(who)
    kill_it(process.pid)
    return Shown(f"killed {said(process)}")


def replace_state(who: Who, change: Callable[[State], State]) -> Asked[State]:
    """Replace the attributes of a server by ``change(attributes)``."""
    process = process_of(who)
    ask = partial(replace_state_of, server(process), change)
    return Asked("replace_state", in_turn(process, ask))


def _acts(restart: Restart) -> tuple[Callable[[Who], Asked[Shown]], ...]:
    def ask(action: Action, who: Who) -> Asked[Shown]:
        process = process_of(who)

        async def do() -> Shown:
            return Shown(await act(action, process, restart))

        return Asked(action, do())

    def stop_(who: Who) -> Asked[Shown]:
        """End a server after the messages it has; another process by an exit signal."""
        return ask("stop", who)

    def restart_(who: Who) -> Asked[Shown]:
        """Stop a child and let its supervisor start it anew."""
        return ask("restart", who)

    def suspend_(who: Who) -> Asked[Shown]:
        """Let a server handle nothing until ``resume``."""
        return ask("suspend", who)

    def resume_(who: Who) -> Asked[Shown]:
        """Let a suspended server go on."""
        return ask("resume", who)

    found = (stop_, restart_, suspend_, resume_)
    for one in found:
        one.__name__ = one.__qualname__ = one.__name__.rstrip("_")
    return found


# -- in place of Python's own -------------------------------------------------------------


def help(what: object = None) -> Shown:  # noqa: A001 - it stands in its place
    """What Python knows of something, as text."""
    if what is None:
        return Shown("h() lists the names that are here, help(x) tells what Python knows of x")
    return Shown(pydoc.plain(pydoc.render_doc(what)).rstrip())


def leave(*_: object) -> NoReturn:
    """ctrl-D leaves the console."""
    raise NotImplementedError("ctrl-D leaves the console; to stop the service send it SIGTERM")


def no_terminal(*_: object, **__: object) -> NoReturn:
    """A service has no terminal to read from."""
    raise NotImplementedError("this would read the terminal of the service, not yours")
