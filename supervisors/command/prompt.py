"""The prompt: lines are typed here and run over there."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from contextvars import copy_context
from functools import partial
from pathlib import Path
from typing import Final

from prompt_toolkit import PromptSession
from prompt_toolkit.application import run_in_terminal
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.completion import (
    CompleteEvent,
    Completer,
    Completion,
    get_common_complete_suffix,
)
from prompt_toolkit.document import Document
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.input import Input
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.output import Output

from runtime.console.completion import last_word
from supervisors.command.client import Client
from supervisors.command.multiline import indent_after, is_whole
from supervisors.command.problems import Declined, Problem
from supervisors.command.wording import harmless, seconds

COMPLETE_WITHIN: Final = 1.0
"""Seconds: the terminal waits meanwhile."""

Guard = Callable[[Client], AbstractContextManager[None]]
"""What stands round an evaluation, so that ctrl-C gets to it."""


def history_file() -> Path:
    """Where what was typed is kept: $XDG_STATE_HOME/trio-otp/history."""
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "trio-otp" / "history"


def open_history(path: Path) -> History:
    """The history in that file, for its owner alone; in memory if there can be no such file."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError:
        return InMemoryHistory()
    return FileHistory(str(path))


class Prompt:
    """A conversation with one service."""

    def __init__(
        self,
        client: Client,
        guard: Guard,
        *,
        history: History,
        terminal: Input | None = None,
        screen: Output | None = None,
    ) -> None:
        self._client = client
        self._guard = guard
        self._name = client.welcome.service
        self._session: PromptSession[str] = PromptSession(
            history=history,
            multiline=True,
            prompt_continuation=self._continuation,
            key_bindings=keys(),
            completer=ServiceCompleter(client),
            complete_while_typing=False,
            enable_open_in_editor=False,
            input=terminal,
            output=screen,
        )
        self._context = copy_context()  # in which its application is the current one
        client.tell = self.write

    def run(self) -> None:
        """Until ctrl-D. Raises ``ServiceGone`` when the service ends, also at an idle prompt."""
        self.write(self._greeting())
        while True:
            try:
                source = self._session.prompt(f"{self._name}> ", pre_run=self._listen)
            except KeyboardInterrupt:
                continue
            except EOFError:
                return
            if source.strip():
                self._evaluate(source)

    def _greeting(self) -> str:
        hello = self._client.welcome
        return harmless(
            f"{hello.service}: os pid {hello.os_pid}, Python {hello.python}, "
            f"up {seconds(hello.up)}\nh() lists the helpers, ctrl-D leaves\n"
        )

    def _evaluate(self, source: str) -> None:
        try:
            with self._guard(self._client):
                value = self._client.evaluate(source)
        except Declined as exc:
            self.write(f"{str(exc).rstrip()}\n")
        else:
            if value is not None:
                self.write(f"{value}\n")

    def _listen(self) -> None:
        """While somebody types, output of tasks and the service's goodbye are shown at once."""
        self._context = copy_context()
        loop = asyncio.get_running_loop()
        loop.add_reader(self._client.fileno(), self._hear, loop)
        loop.call_soon(self._hear, loop)  # what came with the last answer makes nothing readable

    def _hear(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            self._client.poll()
        except Problem as exc:
            loop.remove_reader(self._client.fileno())
            if not self._session.app.is_done:  # who types may have left in the same moment
                self._session.app.exit(exception=exc)

    def write(self, text: str) -> None:
        """Show a text, above the line that is being typed if there is one. From any thread."""
        app = self._session.app
        shown = partial(self._show, harmless(text))
        if app.is_running and app.loop is not None:
            show = partial(run_in_terminal, shown)
            app.loop.call_soon_threadsafe(show, context=self._context)
        else:
            shown()

    def _show(self, text: str) -> None:
        output = self._session.output
        output.write_raw(text.replace("\n", "\r\n"))
        output.flush()

    def _continuation(self, width: int, _line: int, _wrapped: int) -> str:
        return "... ".rjust(width)


class ServiceCompleter(Completer):
    """Asks the service what might follow."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def get_completions(
        self, document: Document, complete_event: CompleteEvent
    ) -> Iterable[Completion]:
        """Words for the one before the cursor; none if the service is busy or gone."""
        text = document.current_line_before_cursor
        try:
            words = self._client.complete(text, COMPLETE_WITHIN)
        except Problem:  # one that is gone is heard of by who waits for keys
            return
        begun = len(last_word(text))
        for word in words:
            yield Completion(word, start_position=-begun)


def common_suffix(buffer: Buffer) -> str:
    """What all completions add to what is there, at once: what is typed next comes after it."""
    asked = CompleteEvent(completion_requested=True)
    found = list(buffer.completer.get_completions(buffer.document, asked))
    return get_common_complete_suffix(buffer.document, found)


def keys() -> KeyBindings:
    """Enter runs what is whole and else begins a line; tab completes or indents."""
    bindings = KeyBindings()

    @bindings.add("enter")
    def _(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        document = buffer.document
        at_end = not document.text_after_cursor.strip()
        if at_end and is_whole(document.text_before_cursor):
            buffer.validate_and_handle()
        else:
            buffer.insert_text("\n" + indent_after(document.current_line_before_cursor))

    @bindings.add("tab")
    def _(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if not buffer.document.current_line_before_cursor.strip():
            buffer.insert_text("    ")
        elif buffer.complete_state:
            buffer.complete_next()
        elif common := common_suffix(buffer):
            buffer.insert_text(common)
        else:
            buffer.start_completion()

    return bindings
