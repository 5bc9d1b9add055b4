"""Functions that worker processes import. Only the standard library: a worker starts with this."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NoReturn


class RefusedWork(Exception):
    """Raised in a worker and pickled."""


def times(number: int, *, by: int = 1) -> tuple[int, int]:
    """A result, and which process made it."""
    return number * by, os.getpid()


def refuse(why: str) -> NoReturn:
    """Fail as a function does."""
    raise RefusedWork(why)


def die(status: int) -> NoReturn:
    """Take the whole interpreter down."""
    os._exit(status)


def busy_for_ever(where: Path) -> NoReturn:
    """Write down in which process, then never return and never look up."""
    where.write_text(str(os.getpid()))
    while True:
        pass
