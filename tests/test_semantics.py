"""``docs/semantics.md``: every sentence of the contract names a test, and the test exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docs" / "semantics.md").read_text()
CONTRACT = TEXT.split("## Differences from OTP")[0]
SENTENCE = re.compile(r"^(\d+\.\d+) (.*?)(?=^\d+\.\d+ |^## |\Z)", re.DOTALL | re.MULTILINE)
SENTENCES: dict[str, str] = dict(SENTENCE.findall(CONTRACT))
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def names_in(path: Path) -> set[str]:
    """The names of the test functions in a file."""
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {
        node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, functions)
    }


def test_every_sentence_names_a_test() -> None:
    assert len(SENTENCES) > 80
    assert [number for number, text in SENTENCES.items() if not TEST.search(text)] == []


def test_every_test_that_is_named_exists() -> None:
    for path, name in TEST.findall(TEXT):
        assert name in names_in(ROOT / path), f"{path}::{name}"


def test_the_sentences_are_numbered_without_gaps() -> None:
    last = (0, 0)
    for number in SENTENCES:
        chapter, sentence = map(int, number.split("."))
        assert (chapter, sentence) in ((last[0], last[1] + 1), (last[0] + 1, 1))
        last = (chapter, sentence)
