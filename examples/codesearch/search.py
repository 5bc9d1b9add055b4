"""Asking the index: from words to what fits best."""

from __future__ import annotations

import sqlite3
from typing import Final

import msgspec

from examples.codesearch.symbols import Kind

# Round what fits in a snippet: no characters that source text has.
HIT_STARTS: Final = "\x02"
HIT_ENDS: Final = "\x03"

# How much a word counts in the columns name, words, signature, doc and text.
SEARCH: Final = f"""
SELECT files.path, symbols.line, symbols.kind, symbols.name, symbols.signature,
    snippet(search, 4, '{HIT_STARTS}', '{HIT_ENDS}', ' ... ', 16)
FROM search
JOIN symbols ON symbols.id = search.rowid
JOIN files ON files.id = symbols.file
WHERE search MATCH ? AND (? IS NULL OR symbols.kind = ?)
ORDER BY bm25(search, 4.0, 10.0, 3.0, 3.0, 1.0), files.path, symbols.line
LIMIT ?
"""


class NothingToLookFor(Exception):
    """There is no word in what was asked."""


class Hit(msgspec.Struct, frozen=True):
    """Something that fits. In the ``snippet`` the words stand between two control characters."""

    path: str
    line: int
    kind: Kind
    name: str
    signature: str
    snippet: str


class Found(msgspec.Struct, frozen=True):
    """What fits, the best first. If nothing has ``all_words``, what has some of them."""

    hits: tuple[Hit, ...]
    all_words: bool


def find(
    connection: sqlite3.Connection, text: str, kind: Kind | None = None, limit: int = 10
) -> Found:
    """What has the words of ``text``: all of them, or if nothing has, some.

    A word may end with ``*`` and is a beginning then; ``read_text`` is the two words in this order.
    Raises ``NothingToLookFor`` if there is no word.
    """
    words = [_quoted(word) for word in text.split() if any(map(str.isalnum, word))]
    if not words:
        raise NothingToLookFor(f"{text!r} has no word in it: letters or digits are looked for")
    hits = _ask(connection, " AND ".join(words), kind, limit)
    if hits or len(words) == 1:
        return Found(hits, all_words=True)
    return Found(_ask(connection, " OR ".join(words), kind, limit), all_words=False)


def _quoted(word: str) -> str:
    """As FTS5 reads it: whatever stands in a string is no operator."""
    stem = word.rstrip("*")
    return '"' + stem.replace('"', '""') + '"' + ("*" if stem != word else "")


def _ask(
    connection: sqlite3.Connection, match: str, kind: Kind | None, limit: int
) -> tuple[Hit, ...]:
    rows = connection.execute(SEARCH, (match, kind, kind, limit))
    return tuple(Hit(*row) for row in rows)
