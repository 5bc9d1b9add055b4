"""Real programs at a real pseudo-terminal: what is typed, and what is to be read there then."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

ROOT = Path(__file__).parents[2]
WITHIN: Final = 30.0
"""Seconds for anything to appear: far more than it takes, so that only what never comes fails."""

_SIZES: Final = ("COLUMNS", "LINES")
_ESCAPES: Final = re.compile(rb"\x1b\[[0-9;?]*[a-zA-Z]|\x1b[()][A-Z0-9]|\x1b[=>]|\x07|\r")

# Whoever opens a terminal first after it has left its session is the one ctrl-C goes to.
_TAKE_TERMINAL: Final = """
import os, sys
os.close(os.open(os.ttyname(0), os.O_RDWR))
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


class Terminal:
    """A program with a terminal of 120 by 40. ``read`` is what has been written there so far."""

    def __init__(self, *command: str, env: dict[str, str]) -> None:
        self._end, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("4H", 40, 120, 0, 0))
        self.program = subprocess.Popen(
            [sys.executable, "-c", _TAKE_TERMINAL, *command],
            cwd=ROOT,
            env={**env, "TERM": "xterm-256color", "PROMPT_TOOLKIT_NO_CPR": "1"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        self.read = ""
        self._raw = b""

    def type(self, text: str) -> None:
        """Press these keys."""
        os.write(self._end, text.encode())

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Read until this appears; what comes before it is read, too, and never found again."""
        until = time.monotonic() + WITHIN
        while (found := re.search(pattern, self.read)) is None:
            assert self._more(until), f"no {pattern!r} in:\n{self.read}"
        self.read = self.read[found.end() :]
        return found

    def left(self) -> int:
        """The exit status, once it has left; ``read`` is then all it has said."""
        until = time.monotonic() + WITHIN
        while self._more(until):
            pass
        return self.program.wait(WITHIN)

    def close(self) -> None:
        """End it, whatever it does."""
        if self.program.poll() is None:
            self.program.kill()
            self.program.wait()
        with suppress(OSError):
            os.close(self._end)

    def _more(self, until: float) -> bool:
        if not select.select([self._end], [], [], max(0.0, until - time.monotonic()))[0]:
            return False
        try:
            chunk = os.read(self._end, 65536)
        except OSError:  # the other end is closed
            return False
        if b"\x1b[6n" in chunk:  # where is the cursor? somewhere
            os.write(self._end, b"\x1b[1;1R")
        self._raw += chunk
        self.read += _ESCAPES.sub(b"", chunk).decode(errors="replace")
        return bool(chunk)


def interrupted(user: Terminal, code: str, prompt: str) -> None:
    """Begin an evaluation that does not end, and press ctrl-C once it has begun."""
    user.type(f"if print('be' + 'gun') is None:\r{code}\r\r")
    user.wait_for("begun")
    user.type("\x03")
    user.wait_for("KeyboardInterrupt")
    user.wait_for(prompt)


class Programs:
    """What one test starts, all with sockets and a history of their own."""

    def __init__(self, home: Path) -> None:
        sockets = home / "s"
        sockets.mkdir(mode=0o700)
        self.sockets = sockets
        inherited = {name: value for name, value in os.environ.items() if name not in _SIZES}
        self.env = {
            **inherited,
            "PYTHONPATH": str(ROOT),
            "TRIO_OTP_SOCKETS": str(sockets),
            "XDG_STATE_HOME": str(home / "state"),
        }
        self.terminals: list[Terminal] = []

    def otp(self, *arguments: str) -> Terminal:
        """The command at a terminal."""
        self.terminals.append(Terminal("-m", "supervisors.command", *arguments, env=self.env))
        return self.terminals[-1]

    def ask(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The command, for a program that reads what it says."""
        return subprocess.run(
            [sys.executable, "-m", "supervisors.command", *arguments],
            cwd=ROOT,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=WITHIN,
            check=False,
        )

    @contextmanager
    def service(self, *command: str) -> Generator[subprocess.Popen[str]]:
        """A service, up and with its console; ended by SIGTERM, if it has not ended by itself."""
        with subprocess.Popen(
            [sys.executable, *command],
            cwd=ROOT,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as program:
            try:
                self._wait_until_up(program)
                yield program
            finally:
                if program.poll() is None:
                    program.send_signal(signal.SIGTERM)
                try:
                    program.communicate(timeout=WITHIN)
                except (subprocess.TimeoutExpired, ValueError):
                    program.kill()

    def _wait_until_up(self, program: subprocess.Popen[str]) -> None:
        until = time.monotonic() + WITHIN
        while not list(self.sockets.glob("*.sock")):
            assert program.poll() is None, program.communicate()
            assert time.monotonic() < until, "no socket"
            time.sleep(0.02)

    def close(self) -> None:
        """End what is left."""
        for terminal in self.terminals:
            terminal.close()
