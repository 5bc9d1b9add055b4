"""Which files of a directory are Python, and which of them are to be read again."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from examples.codesearch.parse import as_text

# What is installed into a library is not of the library; the rest is made by tools.
NOT_ENTERED = frozenset({"site-packages", "dist-packages", "__pycache__", "node_modules"})


class Listed(msgspec.Struct, frozen=True):
    """A directory compared with its index: paths are relative and sorted."""

    files: int
    new: tuple[str, ...]
    gone: tuple[str, ...]


def python_files(root: Path) -> Iterator[str]:
    """The paths of all ``.py`` files below ``root``, relative to it; what is hidden is left out.

    A link to a directory is not followed: it may lead in a circle.
    """
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name not in NOT_ENTERED and name[0] != "."]
        for name in files:
            if name.endswith(".py") and name[0] != ".":
                yield os.path.relpath(os.path.join(folder, name), root)


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
