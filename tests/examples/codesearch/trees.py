"""Small trees of Python files, and what an index has of them."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from examples.codesearch.database import open_index, save_files
from examples.codesearch.listing import python_files
from examples.codesearch.parse import parse_file

ZOO: dict[str, str | bytes] = {
    "zoo/__init__.py": '"""A zoo.\n\nWith animals.\n"""\nfrom zoo.animals import Animal\n',
    "zoo/animals.py": '''"""What lives in a zoo."""

LEGS = 4


class Animal:
    """Anything that breathes."""

    legs = LEGS

    def feed(self, food: str, *, grams: int = 100) -> bool:
        """Give it something to eat."""
        return bool(food)

    async def wait_until_hungry(self) -> None:
        while True:
            break


class SnowLeopard(Animal):
    """Rare, and spotted."""
''',
    "zoo/broken.py": "def half(:\n",
    "zoo/latin.py": b'NAME = "\xe4"\n',
}


def write(root: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write files below ``root``, which is returned."""
    for path, content in files.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


def write_many(root: Path, number: int, seed: int = 0) -> Path:
    """So many modules in some packages; every twentieth is no Python."""
    chance = random.Random(seed)
    for one in range(number):
        content = f'"""Module number {one}."""\n'
        for each in range(chance.randrange(1, 6)):
            content += (
                f'\n\ndef function_{one}_{each}(value: int) -> int:\n    """Adds {each}."""\n'
            )
            content += f"    return value + {each}\n"
        if one % 20 == 7:
            content = f"def broken_{one}(:\n"
        write(root, {f"package_{one % 7}/module_{one}.py": content})
    return root


def indexed(root: Path) -> tuple[list[object], list[object]]:
    """What ``content`` has to be for a directory: made without stages, processes or restarts."""
    with TemporaryDirectory() as folder:
        database = Path(folder, "index.db")
        with closing(open_index(database, root)) as connection:
            save_files(connection, [parse_file(str(root), path) for path in python_files(root)])
        return content(database)


def content(database: Path) -> tuple[list[object], list[object]]:
    """Everything in an index but its own numbers, after a look whether it is sound."""
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        # It raises if the words are not those of the symbols.
        connection.execute("INSERT INTO search (search, rank) VALUES ('integrity-check', 1)")
        files = connection.execute(
            "SELECT path, digest, size, changed_at, lines, error FROM files ORDER BY path"
        ).fetchall()
        symbols = connection.execute(
            """
            SELECT path, line, kind, name, words, signature, doc, text
            FROM symbols JOIN files ON files.id = symbols.file
            ORDER BY path, line, name
            """
        ).fetchall()
    return list(files), list(symbols)
