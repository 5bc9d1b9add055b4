from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples.codesearch.database import open_index, save_files
from examples.codesearch.parse import parse_file
from examples.codesearch.search import HIT_ENDS, HIT_STARTS, NothingToLookFor, find
from tests.examples.codesearch.trees import ZOO, write


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    root = write(tmp_path_factory.mktemp("tree"), ZOO)
    with closing(open_index(root / "index.db", root)) as connection:
        save_files(connection, [parse_file(str(root), path) for path in ZOO])
        yield connection


def names(connection: sqlite3.Connection, text: str, **options: object) -> list[str]:
    return [hit.name for hit in find(connection, text, **options).hits]  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("feed", "zoo.animals.Animal.feed"),
        ("grams", "zoo.animals.Animal.feed"),
        ("something to eat", "zoo.animals.Animal.feed"),
        ("wait_until_hungry", "zoo.animals.Animal.wait_until_hungry"),
        ("hungry until", "zoo.animals.Animal.wait_until_hungry"),
        ("snow leopard", "zoo.animals.SnowLeopard"),
        ("SnowLeopard", "zoo.animals.SnowLeopard"),
        ("snowleopard", "zoo.animals.SnowLeopard"),
        ("leop*", "zoo.animals.SnowLeopard"),
        ("breathing", "zoo.animals.Animal"),
        ("LEGS = 4", "zoo.animals"),
    ],
)
def test_what_has_the_words_is_found_first(
    connection: sqlite3.Connection, text: str, found: str
) -> None:
    assert names(connection, text)[0] == found


def test_a_hit_says_where_it_is_and_marks_the_words(connection: sqlite3.Connection) -> None:
    (hit,) = find(connection, "eat").hits
    assert (hit.path, hit.line, hit.kind) == ("zoo/animals.py", 11, "def")
    assert hit.signature == "def feed(self, food: str, *, grams: int=100) -> bool"
    assert f"something to {HIT_STARTS}eat{HIT_ENDS}" in hit.snippet


def test_a_kind_and_a_limit_can_be_asked_for(connection: sqlite3.Connection) -> None:
    assert names(connection, "zoo", kind="module") == ["zoo", "zoo.animals"]
    assert names(connection, "animal", kind="class") == [
        "zoo.animals.Animal",
        "zoo.animals.SnowLeopard",
    ]
    assert len(names(connection, "zoo", limit=3)) == 3


def test_if_nothing_has_all_words_what_has_some_is_found(connection: sqlite3.Connection) -> None:
    assert find(connection, "feed bool").all_words
    found = find(connection, "feed unicorn")
    assert not found.all_words
    assert [hit.name for hit in found.hits] == ["zoo.animals.Animal.feed"]
    nothing = find(connection, "unicorn")
    assert (nothing.hits, nothing.all_words) == ((), True)


@pytest.mark.parametrize("text", ["", " ", "++ --", "*", '"', "_"])
def test_without_a_word_there_is_nothing_to_look_for(
    connection: sqlite3.Connection, text: str
) -> None:
    with pytest.raises(NothingToLookFor, match="has no word in it"):
        find(connection, text)


@pytest.mark.parametrize(
    "text", ["AND", "feed AND", 'a"b', "NEAR(a b)", "name:x", "a^2", "-a", "a'"]
)
def test_no_word_is_an_operator(connection: sqlite3.Connection, text: str) -> None:
    find(connection, text)


@given(st.text(st.characters(blacklist_categories=["Cs"])))
def test_whatever_is_asked_is_answered_or_refused(text: str) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE VIRTUAL TABLE t USING fts5 (a, tokenize = 'porter unicode61')")
        try:
            find(connection, text)
        except NothingToLookFor:
            assert not any(map(str.isalnum, text))
        except sqlite3.OperationalError as error:
            assert str(error) == "no such table: search"  # noqa: PT017
