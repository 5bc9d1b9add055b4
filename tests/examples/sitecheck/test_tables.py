from __future__ import annotations

from io import StringIO

from rich.console import Console

from examples.sitecheck.page import Page
from examples.sitecheck.summary import BrokenLink, Summary
from examples.sitecheck.tables import SHOWN_BROKEN, render

START = "http://s.test/"
SLOW = Page("http://s.test/[bold]slow", 200, "longer than 5 bytes", 1.25, 99, "text/html", 1.0)


def summary(broken: int = 1) -> Summary:
    on = tuple(f"http://s.test/on{number}" for number in range(5))
    links = [BrokenLink(f"http://s.test/gone{n:03}", 404, None, on) for n in range(broken)]
    return Summary(12, 34, 5, 6, tuple(links), (SLOW,), (SLOW,))


def shown(summary: Summary, restarts: dict[str, int], full: bool = False) -> str:
    console = Console(file=StringIO(), width=120)
    console.print(render(summary, START, 2.5, restarts, full=full))
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def row(text: str, label: str) -> list[str]:
    """The cells of the first row that has ``label``."""
    line = next(line for line in text.splitlines() if label in line)
    return [cell.strip() for cell in line.strip("│┃ ").split("│")]


def test_the_numbers_are_there() -> None:
    text = shown(summary(), {"store": 2, "frontier": 1})
    assert row(text, "pages") == ["pages", "12"]
    assert row(text, "links  ") == ["links", "34"]
    assert row(text, "leave the site")[1] == "5"
    assert row(text, "broken links  ")[1] == "5"
    assert row(text, "not checked (robots")[1] == "6"
    assert row(text, "restarts") == ["restarts", "3"]
    assert row(text, "of store") == ["of store", "2"]
    assert row(text, "of frontier") == ["of frontier", "1"]
    assert row(text, "seconds") == ["seconds", "2.5"]


def test_a_broken_link_is_shown_with_the_pages_it_stands_on() -> None:
    text = shown(summary(), {})
    assert row(text, "gone000") == ["/gone000", "404", "/on0, /on1, /on2 and 2 more"]


def test_of_many_broken_links_the_first_are_shown_unless_all_are_asked_for() -> None:
    many = summary(broken=SHOWN_BROKEN + 7)
    assert shown(many, {}).count("/gone") == SHOWN_BROKEN
    assert "and 7 more" in shown(many, {})
    assert shown(many, {}, full=True).count("/gone") == SHOWN_BROKEN + 7


def test_what_a_site_calls_its_pages_is_not_taken_for_markup() -> None:
    text = shown(summary(), {})
    assert row(text, "1.250") == ["/[bold]slow", "1.250", "99"]
    assert row(text, "longer than 5")[0] == "/[bold]slow"


def test_a_crawl_that_found_nothing_still_has_its_numbers() -> None:
    text = shown(Summary(0, 0, 0, 0, (), (), ()), {})
    assert row(text, "restarts") == ["restarts", "0"]
    assert "slowest" not in text


def test_control_characters_from_a_site_do_not_reach_the_terminal() -> None:
    evil = BrokenLink("http://s.test/\x1b[2J", None, "bad \x1b]0;x\x07", (START,))
    text = shown(Summary(1, 1, 0, 0, (evil,), (), ()), {})
    assert "\x1b" not in text
