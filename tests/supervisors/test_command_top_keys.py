"""What keys do to ``otp top``, as a table."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from supervisors.command.top_keys import Do, Look, Trace, Wish, press, selected
from tests.supervisors.seen import process

SHOWN = [process(3, name="three"), process(4), process(5)]
KILL = Do("kill", 3, "three")


def look(**changes: Any) -> Look:
    return msgspec.structs.replace(Look(), **changes)


@pytest.mark.parametrize(
    ("before", "key", "after", "wish"),
    [
        (look(), "q", look(), "quit"),
        (look(), "c-c", look(), "quit"),
        (look(mode="sure", asked=KILL), "c-c", look(mode="sure", asked=KILL), "quit"),
        (look(note="done"), "x", look(), None),
        (look(cursor=4), "r", look(sort="rate"), "ask again"),
        (look(), "c", look(sort="cpu"), "ask again"),
        (look(), "s", look(sort="restarts"), "ask again"),
        (look(), "n", look(sort="pid"), "ask again"),
        (look(sort="pid"), "m", look(), "ask again"),
        (look(), "p", look(paused=True), "ask again"),
        (look(paused=True), " ", look(), "ask again"),
        (look(), "down", look(cursor=4), None),
        (look(cursor=4), "up", look(cursor=3), None),
        (look(cursor=3), "up", look(cursor=3), None),
        (look(cursor=5), "down", look(cursor=5), None),
        (look(), "end", look(cursor=5), None),
        (look(cursor=5), "home", look(cursor=3), None),
        (look(cursor=99), "down", look(cursor=4), None),
        (look(), "pagedown", look(cursor=5), None),
        (look(cursor=5), "pageup", look(cursor=3), None),
        (look(), "/", look(mode="find"), None),
        (look(), "escape", look(), None),
        (look(find="x", cursor=4), "escape", look(), "ask again"),
        (look(mode="find"), "x", look(mode="find", find="x"), "ask again"),
        (look(mode="find"), "q", look(mode="find", find="q"), "ask again"),
        (look(mode="find", find="xy"), "c-h", look(mode="find", find="x"), "ask again"),
        (look(mode="find", find="xy"), "enter", look(find="xy"), None),
        (look(mode="find", find="xy"), "escape", look(), "ask again"),
        (look(mode="find", find="xy"), "up", look(mode="find", find="xy"), None),
        (look(cursor=4), "enter", look(mode="detail", cursor=4), "ask again"),
        (look(), "c-m", look(mode="detail", cursor=3), "ask again"),
        (look(mode="detail", cursor=4), "escape", look(cursor=4), "ask again"),
        (look(mode="detail", cursor=4), "q", look(cursor=4), "ask again"),
        (
            look(mode="detail", cursor=4),
            "t",
            look(mode="detail", cursor=4, traced=4),
            Trace(4, on=True),
        ),
        (
            look(mode="detail", cursor=4, traced=4),
            "t",
            look(mode="detail", cursor=4),
            Trace(4, on=False),
        ),
        (look(mode="detail", cursor=4, traced=4), "q", look(cursor=4), Trace(4, on=False)),
        (look(mode="detail", cursor=99), "t", look(mode="detail", cursor=99), None),
        (look(mode="detail", cursor=99), "k", look(mode="detail", cursor=99), None),
        (look(), "k", look(mode="sure", asked=KILL), None),
        (
            look(mode="detail", cursor=4),
            "R",
            look(mode="sure", cursor=4, after="detail", asked=Do("restart", 4, "Counter")),
            None,
        ),
        (look(mode="sure", asked=KILL), "y", look(), KILL),
        (look(mode="sure", asked=KILL), "Y", look(), KILL),
        (look(mode="sure", asked=KILL), "n", look(), None),
        (look(mode="sure", asked=KILL), "enter", look(), None),
        (look(mode="sure", asked=KILL, after="detail"), "y", look(mode="detail"), KILL),
    ],
)
def test_a_key(before: Look, key: str, after: Look, wish: Wish) -> None:
    assert press(before, key, SHOWN) == (msgspec.structs.replace(after), wish)


@pytest.mark.parametrize("key", ["down", "enter", "k", "R"])
def test_where_there_is_no_process_there_is_nothing_to_do(key: str) -> None:
    assert press(look(), key, []) == (look(), None)


def test_the_cursor_stays_with_its_process() -> None:
    assert selected(look(cursor=5), SHOWN) is SHOWN[2]
    assert selected(look(cursor=5), SHOWN[::-1]) is SHOWN[2]
    assert selected(look(cursor=9), SHOWN) is SHOWN[0]
    assert selected(look(), []) is None


def test_a_deed_is_asked_about_the_process_that_was_under_the_cursor() -> None:
    asked, _ = press(look(cursor=4), "k", SHOWN)
    _, wish = press(asked, "y", SHOWN[::-1])
    assert wish == Do("kill", 4, "Counter")
