"""``otp repl MODULE:TREE``: a tree and a prompt on it, in one process.

The tree has the main thread, the prompt another one, which speaks to the tree's console by its
socket like any client. So everything at the prompt is what it would be on a service.
"""

from __future__ import annotations

import inspect
import os
import pkgutil
import re
import signal
import sys
from collections.abc import Callable, Generator, Iterable
from contextlib import (
    AbstractContextManager,
    ExitStack,
    closing,
    contextmanager,
    nullcontext,
    redirect_stderr,
    redirect_stdout,
)
from io import TextIOBase
from pathlib import Path
from types import FrameType
from typing import Final, TextIO, cast

import trio
from prompt_toolkit.output import Output, create_output

from runtime import ChildSpec, StartError, configure_logging
from supervisors.children import ChildSource
from supervisors.command.client import Client, connect
from supervisors.command.problems import NoService, Problem, ServiceGone
from supervisors.command.prompt import Prompt, history_file, open_history
from supervisors.command.services import services
from supervisors.errors import SupervisorGaveUp
from supervisors.open_supervisor import open_supervisor


def load_tree(where: str) -> list[ChildSource]:
    """The children that ``MODULE:TREE`` names: a list, a spec, or a function that returns either.

    Raises ``Problem`` that says what is wrong with it.
    """
    module, _, attribute = where.partition(":")
    if not module or not attribute:
        raise Problem(f"{where!r} is not MODULE:TREE, as in myservice.tree:children")
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        found: object = pkgutil.resolve_name(where)
    except (ImportError, AttributeError, ValueError) as exc:
        raise Problem(f"{where}: {exc}") from exc
    return _children(where, found)


def _children(where: str, found: object) -> list[ChildSource]:
    if callable(found) and not isinstance(found, type):
        _check_arguments(where, found)
        found = found()
    if isinstance(found, type):
        _check_arguments(where, found)
    if isinstance(found, ChildSpec | type):
        return [found]
    if isinstance(found, Iterable):
        return list(cast("Iterable[ChildSource]", found))
    raise Problem(
        f"{where} is {found!r}, allowed are a list of children, a ChildSpec, a GenServer class, "
        "and a function that returns one of them"
    )


def _check_arguments(where: str, found: Callable[..., object]) -> None:
    """It is called without any."""
    try:
        inspect.signature(found).bind()
    except TypeError as exc:
        raise Problem(
            f"{where} cannot be called without arguments: {exc}; write a function that returns "
            "the children, or a list of them"
        ) from exc


def run_repl(where: str, name: str | None) -> None:
    """Start the tree, talk to it until ctrl-D, stop it. Raises ``Problem``."""
    children = load_tree(where)
    service = name or where.partition(":")[0].rpartition(".")[2]
    outer = _Interrupts()
    with ExitStack() as stack:
        screen = create_output(sys.stdout)  # before its lines go above the prompt
        above = AbovePrompt(sys.stderr)
        stack.enter_context(redirect_stderr(above))
        stack.enter_context(redirect_stdout(AbovePrompt(sys.stdout, above)))
        configure_logging()
        stack.enter_context(outer.taken())
        try:
            trio.run(_serve, children, service, outer, above, screen)
        except (SupervisorGaveUp, StartError) as exc:
            raise Problem(f"{where}: {exc}") from exc


async def _serve(
    children: list[ChildSource],
    name: str,
    interrupts: _Interrupts,
    above: AbovePrompt,
    screen: Output,
) -> None:
    async with open_supervisor(children, name=name, console=True), trio.open_nursery() as nursery:
        with closing(await trio.to_thread.run_sync(_own_client, above.write)) as client:
            interrupts.told = client.interrupt
            nursery.start_soon(_hang_up_at_the_end, client)
            history = open_history(history_file())
            prompt = Prompt(client, _in_the_main_thread, history=history, screen=screen)
            above.prompt = prompt
            try:
                await trio.to_thread.run_sync(_talk, prompt)
            finally:
                above.prompt = interrupts.told = None
        nursery.cancel_scope.cancel()


def _talk(prompt: Prompt) -> None:
    """A service that is gone ends the prompt; what it died of is told by its tree."""
    try:
        prompt.run()
    except ServiceGone as exc:
        prompt.write(f"{exc}\n")


def _in_the_main_thread(_client: Client) -> AbstractContextManager[None]:
    """Where ctrl-C comes, ``_Interrupts`` waits for it."""
    return nullcontext()


async def _hang_up_at_the_end(client: Client) -> None:
    """A tree that gives up cancels this, and the prompt must not keep it up."""
    try:
        await trio.sleep_forever()
    finally:
        client.hang_up()


def _own_client(tell: Callable[[str], object]) -> Client:
    """A client of the console in this very process."""
    for service in services():
        if service.os_pid == os.getpid():
            return connect(Path(service.socket), tell)
    raise NoService("the tree has no console: its log says why")


_COLOURS: Final = re.compile(r"\x1b\[[0-9;]*m")


class _Interrupts:
    """ctrl-C, which comes to the main thread, for the prompt, which is in another."""

    def __init__(self) -> None:
        self.told: Callable[[], None] | None = None

    @contextmanager
    def taken(self) -> Generator[None]:
        """ctrl-C comes here; before there is a prompt it means what it always does."""
        before = signal.signal(signal.SIGINT, self._on_signal)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self.told is None:
            signal.default_int_handler(number, frame)
        else:
            self.told()


class AbovePrompt(TextIOBase):
    """A standard stream whose lines go above the line that is being typed."""

    def __init__(self, stream: TextIO, other: AbovePrompt | None = None) -> None:
        self.prompt: Prompt | None = None
        self._stream = stream
        self._other = other

    def write(self, text: str, /) -> int:
        """Above the prompt, if there is one."""
        prompt = (self._other or self).prompt
        if prompt is None:
            self._stream.write(text)
        else:
            prompt.write(_COLOURS.sub("", text))  # which it would show and not obey
        return len(text)

    def flush(self) -> None:
        """Whatever was written while there was no prompt."""
        self._stream.flush()

    def isatty(self) -> bool:
        """Logs for people are coloured."""
        return self._stream.isatty()

    def fileno(self) -> int:
        """Programs that are started get the stream itself."""
        return self._stream.fileno()
