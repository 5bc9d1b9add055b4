from __future__ import annotations

import pytest

from supervisors.command.multiline import indent_after, is_whole


@pytest.mark.parametrize(
    ("source", "whole"),
    [
        ("1 + 2", True),
        ("await trio.sleep(1)", True),
        ("async with a as b: await c", False),
        ("def f():", False),
        ("def f():\n    return 1", False),
        ("def f():\n    return 1\n", True),
        ("def f():\n    return 1\n    ", True),
        ("f(1,", False),
        ('"""text', False),
        ("for x in y:\n    await x\n", True),
        ("1 +", True),
        ("x = = 1", True),
        ("'\\q'", True),
        ("\0", True),
        ("", True),
    ],
)
def test_when_it_is_whole(source: str, whole: bool) -> None:
    assert is_whole(source) is whole


@pytest.mark.parametrize(
    ("line", "indent"),
    [
        ("x = 1", ""),
        ("    x = 1", "    "),
        ("if x:", "    "),
        ("    if x:  # why", "        "),
        ("# no:", ""),
        ("", ""),
    ],
)
def test_the_indent_of_the_next_line(line: str, indent: str) -> None:
    assert indent_after(line) == indent
