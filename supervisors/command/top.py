"""``otp top``: a screen that is asked for and drawn again every second, and at every key."""

from __future__ import annotations

import time
from collections import deque
from functools import partial
from typing import Final

import msgspec
from rich.console import Console
from rich.screen import Screen

from runtime.console.frames import Act, AskInfo, AskStack, AskTop, InfoView, StackView, StopTop
from runtime.inspection.views import Snapshot
from supervisors.command.client import Client
from supervisors.command.keyboard import Keyboard
from supervisors.command.problems import Declined, NotAnswered
from supervisors.command.top_keys import Do, Look, Trace, Wish, press
from supervisors.command.top_screen import TRACE_LINES, Seen, top_screen

EVERY: Final = 1.0
"""Seconds from one look to the next."""

LIMIT: Final = 100
"""Processes asked for. More than a screen shows, so that the cursor can move on."""

PATIENCE: Final = 0.5
"""Seconds for an answer, before it is asked what the loop does instead."""

_EMPTY: Final = Snapshot(at=0.0, up=0.0, total=0, processes=())


class Top:
    """One sitting before the screen."""

    def __init__(self, client: Client, console: Console, keyboard: Keyboard) -> None:
        self._client = client
        self._console = console
        self._keyboard = keyboard
        self._look = Look()
        self._seen = Seen(client.welcome.service, _EMPTY)
        self._traced: deque[str] = deque(maxlen=TRACE_LINES)
        client.tell = self._heard

    def run(self) -> None:
        """Until the user leaves or the service does, which raises ``ServiceGone``."""
        with self._console.screen(hide_cursor=True):
            due = 0.0
            wish: Wish = "ask again"
            while wish != "quit":
                if wish == "ask again" or (time.monotonic() >= due and not self._look.paused):
                    self._ask()
                    due = time.monotonic() + EVERY
                self._draw()
                wish = self._keys(None if self._look.paused else due - time.monotonic())
        self._stop_looking()

    def _keys(self, seconds: float | None) -> Wish:
        """Take the keys that are pressed; the last wish that is not done yet."""
        pressed = self._keyboard.wait(None if seconds is None else max(0.0, seconds))
        self._client.poll()
        wish: Wish = None
        for key in pressed:
            self._look, wished = press(self._look, key, self._seen.snapshot.processes)
            wish = self._fulfil(wished) or wish
            if wish == "quit":
                break
        return wish

    def _fulfil(self, wish: Wish) -> Wish:
        match wish:
            case Do():
                self._note(self._act(wish))
                return "ask again"
            case Trace():
                self._traced.clear()
                self._trace(wish)
                return "ask again"
            case _:
                return wish

    def _act(self, deed: Do) -> str:
        question = partial(Act, action=deed.action, target=str(deed.pid))
        try:
            return self._client.ask(question, str)
        except (Declined, NotAnswered) as exc:
            return str(exc)

    def _trace(self, wish: Trace) -> None:
        """By the same words as at the prompt; what is traced comes as output."""
        verb = "trace" if wish.on else "untrace"
        try:
            self._client.evaluate(f"{verb}({wish.pid})")
        except Declined as exc:
            self._note(exc.kind)

    def _heard(self, text: str) -> None:
        self._traced.extend(text.splitlines())

    def _note(self, text: str) -> None:
        self._look = msgspec.structs.replace(self._look, note=text)

    def _ask(self) -> None:
        """Look once. While the loop does not turn, what it does is all there is to see."""
        look = self._look
        try:
            snapshot = self._client.ask(
                partial(AskTop, sort=look.sort, limit=LIMIT, find=look.find), Snapshot, PATIENCE
            )
            info = self._info() if look.mode == "detail" else None
        except NotAnswered:
            stack = self._client.ask(AskStack, StackView)
            self._seen = msgspec.structs.replace(self._seen, stack=stack)
        else:
            self._seen = Seen(self._seen.service, snapshot, info)

    def _info(self) -> InfoView | None:
        target = str(self._look.cursor)
        try:
            return self._client.ask(partial(AskInfo, target=target), InfoView, PATIENCE)
        except Declined:  # it has ended
            return None

    def _draw(self) -> None:
        seen = msgspec.structs.replace(self._seen, traced=tuple(self._traced))
        screen = top_screen(seen, self._look, self._console.height, self._console.width)
        self._console.print(Screen(screen), end="")

    def _stop_looking(self) -> None:
        """Its loop may be stuck: then the end of the connection says it."""
        try:
            self._client.ask(StopTop, type(None), PATIENCE)
        except NotAnswered:
            pass
