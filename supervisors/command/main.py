"""``otp``: from a command line to an exit status.

0: done. 1: the service says no, or what was evaluated raised. 2: it could not be asked.
130: ctrl-C.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence

from supervisors.command.arguments import Arguments, parse
from supervisors.command.problems import INTERRUPTED, NOT_ASKED, Problem

perform: Callable[[Arguments], None] | None
"""What a command does; ``None`` without the extra ``console``."""

try:
    from supervisors.command.terminal import perform
except ImportError as missing:
    if (missing.name or "").partition(".")[0] not in ("rich", "prompt_toolkit"):
        raise
    perform = None


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit status is returned."""
    wanted = parse(sys.argv[1:] if arguments is None else arguments)
    if perform is None:
        return _fail("its screens are not installed: pip install 'trio-otp[console]'", NOT_ASKED)
    try:
        perform(wanted)
        sys.stdout.flush()
    except Problem as exc:
        return _fail(str(exc), exc.status)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has enough; Python would complain once more while it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return 0


def _harmless(text: str) -> str:
    """Without what a terminal would obey. Not by ``wording``, which needs the extra."""
    return "".join(one if one.isprintable() or one in "\n\t" else "\ufffd" for one in text)


def _fail(text: str, status: int) -> int:
    text = _harmless(text.rstrip())
    sys.stderr.write(f"{text}\n" if "\n" in text else f"otp: {text}\n")  # a traceback is itself
    return status
