from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from rich.text import Text

from examples.codesearch.database import Counts
from examples.codesearch.search import HIT_ENDS, HIT_STARTS, Found, Hit
from examples.codesearch.show import found_lines, status_lines

ROOT = Path("/lib")


def plain(lines: Iterable[Text]) -> list[str]:
    return [line.plain for line in lines]


def hit(**changes: str) -> Hit:
    snippet = f"def f(x):\n    {HIT_STARTS}return{HIT_ENDS}   x"
    fields = {"kind": "def", "name": "m.f", "signature": "def f(x: int) -> int", **changes}
    return Hit(path="a/m.py", line=7, snippet=snippet, **fields)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def test_a_hit_is_where_it_is_what_it_is_and_a_piece_of_it() -> None:
    found = Found((hit(),), all_words=True)
    assert plain(found_lines(found, ROOT, Path("/home"))) == [
        "/lib/a/m.py:7 def m.f(x: int) -> int",
        "    def f(x): return x",
    ]


def test_the_words_are_marked() -> None:
    _, line = found_lines(Found((hit(),), all_words=True), ROOT, ROOT)
    assert [
        line.plain[one.start : one.end] for one in line.spans if one.style == "bold yellow"
    ] == ["return"]


def test_a_path_below_the_current_directory_is_shown_from_there() -> None:
    found = Found((hit(),), all_words=True)
    assert plain(found_lines(found, ROOT, ROOT))[0].startswith("a/m.py:7 ")
    assert plain(found_lines(found, ROOT, ROOT / "b"))[0].startswith("/lib/a/m.py:7 ")


def test_a_class_and_a_module_are_shown_with_what_they_have() -> None:
    found = Found(
        (
            hit(kind="class", name="m.C", signature="class C(B)"),
            hit(kind="module", name="m", signature=""),
        ),
        all_words=True,
    )
    shown = plain(found_lines(found, ROOT, ROOT))
    assert shown[0::2] == ["a/m.py:7 class m.C(B)", "a/m.py:7 module m"]


def test_it_is_said_if_nothing_has_all_words() -> None:
    shown = plain(found_lines(Found((hit(),), all_words=False), ROOT, ROOT))
    assert shown[0] == "nothing has all of these words; these have some:"
    assert plain(found_lines(Found((), all_words=False), ROOT, ROOT)) == []


def test_a_terminal_does_nothing_that_a_file_says() -> None:
    found = Found((hit(name="m.\x1b[31m", signature=""),), all_words=True)
    assert plain(found_lines(found, ROOT, ROOT))[0] == "a/m.py:7 def m.?[31m"


def test_the_status_is_what_is_there_and_what_is_not() -> None:
    failed = [(f"{number}.py", "bad\n") for number in range(12)]
    counts = Counts(1234, 12, 56789, 1222, 40, 500)
    shown = plain(status_lines(ROOT, counts, failed, full=False))
    assert shown[:8] == [
        "index of /lib",
        "      1,234 files",
        "     56,789 lines",
        "      1,222 modules",
        "         40 classes",
        "        500 functions",
        "         12 files that failed",
        "    0.py: bad?",
    ]
    assert len(shown) == 7 + 10 + 1
    assert shown[-1] == "    and 2 more; status --full shows them all"
    assert len(plain(status_lines(ROOT, counts, failed, full=True))) == 7 + 12
