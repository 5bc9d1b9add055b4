"""The built-in site as a child process, for as long as a ``with`` block."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import msgspec

PROGRAM = Path(__file__).with_name("pydoc_site.py")


class SiteFailed(Exception):
    """The built-in site did not come up."""


class PydocSite(msgspec.Struct, frozen=True):
    """A running site: its start page, and the directory of the files it serves."""

    url: str
    directory: Path


@contextmanager
def pydoc_site(modules: int | None = None, port: int = 0) -> Generator[PydocSite, None, None]:
    """Render and serve the first ``modules`` modules (``None``: all of them).

    ``port`` is taken if it is free, so that a later run finds the addresses of an earlier one.
    """
    command = [sys.executable, "-I", str(PROGRAM), "--port", str(port)]
    if modules is not None:
        command += ["--modules", str(modules)]
    # Leaving the block closes its standard input, which ends it.
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            url, _, directory = child.stdout.readline().strip().partition(" ")
            if not directory:
                raise SiteFailed("the built-in site did not start")
            yield PydocSite(url=url, directory=Path(directory))
        finally:
            child.stdin.close()
            child.stdout.read()  # until it has ended
