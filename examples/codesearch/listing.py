"""Which files of a directory are Python, and which of them are to be read again.

The source of the pipeline finds them by itself, in the same way, by ``PATTERN`` and ``SKIP``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

import msgspec

from examples.codesearch.parse import as_text

# What is hidden is left out.
PATTERN: Final = "[!.]*.py"
# What is installed into a library is not of the library; the rest is made by tools.
SKIP: Final = (".*", "site-packages", "dist-packages", "__pycache__", "node_modules")


class Listed(msgspec.Struct, frozen=True):
    """A directory compared with its index: paths are relative and sorted."""

    files: int
    new: tuple[str, ...]
    gone: tuple[str, ...]


def python_files(root: Path) -> Iterator[str]:
    """The paths of the files below ``root``, relative to it.

    A link to a directory is not followed, as it may lead in a circle, nor one that leads out.
    """
    inside = root.resolve()
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if not any(fnmatchcase(name, one) for one in SKIP)]
        for name in files:
            path = Path(folder, name)
            if fnmatchcase(name, PATTERN) and path.is_file() and _is_inside(path, inside):
                yield str(path.relative_to(root))


def _is_inside(path: Path, root: Path) -> bool:
    return not path.is_symlink() or path.resolve().is_relative_to(root)


def compare(root: Path, stored: Mapping[str, tuple[int, int]]) -> Listed:
    """What is new or changed below ``root``, and what is not there any more."""
    listed = {as_text(path): path for path in python_files(root)}
    new = [path for key, path in listed.items() if not _is_known(root / path, stored.get(key))]
    return Listed(len(listed), tuple(sorted(new)), tuple(sorted(stored.keys() - listed.keys())))


def _is_known(path: Path, stored: tuple[int, int] | None) -> bool:
    """Whether it is as it was stored; of what cannot be asked nothing is known."""
    try:
        now = path.stat()
    except OSError:
        return False
    return (now.st_size, now.st_mtime_ns) == stored
