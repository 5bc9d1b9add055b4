from __future__ import annotations

import hashlib
import os
import warnings
from pathlib import Path

import pytest

from examples.codesearch.parse import ParsedFile, as_text, module_name, parse_file


def parsed(folder: Path, content: str | bytes, **options: int) -> ParsedFile:
    raw = content if isinstance(content, bytes) else content.encode()
    (folder / "a.py").write_bytes(raw)
    return parse_file(str(folder), "a.py", **options)


def test_a_file_is_known_by_its_path_its_content_and_what_the_system_says(tmp_path: Path) -> None:
    one = parsed(tmp_path, "x = 1\n\ndef f(): pass\n")
    state = (tmp_path / "a.py").stat()
    assert one.path == "a.py"
    assert one.digest == hashlib.sha256(b"x = 1\n\ndef f(): pass\n").hexdigest()
    assert (one.size, one.changed_at, one.lines) == (state.st_size, state.st_mtime_ns, 3)
    assert [symbol.name for symbol in one.symbols] == ["a", "a.f"]
    assert one.error is None


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"# coding: latin-1\nNAME = '\xe4'\n", "\u00e4"),
        (b"\xef\xbb\xbfNAME = '\xc3\xa4'\n", "\u00e4"),
        (b"NAME = '\xc3\xa4'\r\nX = 1\r", "\u00e4"),
    ],
)
def test_a_file_may_say_how_it_is_encoded(content: bytes, name: str, tmp_path: Path) -> None:
    one = parsed(tmp_path, content)
    assert one.error is None
    assert f"NAME = '{name}'\n" in one.symbols[0].text
    assert "\r" not in one.symbols[0].text


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ("def f(:\n", "no Python: line 1: invalid syntax"),
        (b"x = 1\nname = '\xe4'\n", "cannot be decoded: 'utf-8' codec can't decode byte 0xe4"),
        ("# coding: klingon\n", "cannot be decoded: unknown encoding: klingon"),
        (b"# coding: rot13\n", "cannot be decoded: "),
        ("a\0b\n", "no Python: "),
        ("(" * 500 + ")" * 500, "no Python: "),
        ("-" * 100_000 + "1", "nested too deeply to be parsed"),
    ],
)
def test_what_cannot_be_parsed_has_a_reason_and_no_symbols(
    content: str | bytes, error: str, tmp_path: Path
) -> None:
    one = parsed(tmp_path, content)
    assert (one.error or "").startswith(error)
    assert one.symbols == ()
    assert one.digest != ""


def test_a_large_file_is_not_read(tmp_path: Path) -> None:
    one = parsed(tmp_path, "x = 1\n" * 200, max_bytes=1100)
    assert one.error == "too large: 1,200 bytes, 1,100 at most"
    assert (one.digest, one.size) == ("", 1200)
    assert parsed(tmp_path, "x = 1\n" * 200, max_bytes=1200).error is None


def test_what_cannot_be_read_has_a_reason(tmp_path: Path) -> None:
    (tmp_path / "folder.py").mkdir()
    gone = parse_file(str(tmp_path), "gone.py")
    assert gone == ParsedFile("gone.py", error="cannot be read: No such file or directory")
    os.mkfifo(tmp_path / "pipe.py")
    for name in ("folder.py", "pipe.py"):
        parsed = parse_file(str(tmp_path), name)
        assert parsed == ParsedFile(name, error="cannot be read: it is no regular file")


def test_nothing_is_said_about_the_style_of_what_is_read(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert parsed(tmp_path, "x = '\\d' is 'a'\n").error is None


def test_a_name_that_is_no_text_becomes_text(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.py")
    (tmp_path / name).write_text("def f(): pass\n")
    one = parse_file(str(tmp_path), name)
    assert one.path == as_text(name) == "caf\\xe9.py"
    one.path.encode()


@pytest.mark.parametrize(
    ("path", "module"),
    [
        ("json/decoder.py", "json.decoder"),
        ("json/__init__.py", "json"),
        ("os.py", "os"),
        ("__init__.py", "__init__"),
    ],
)
def test_a_path_says_the_name_of_the_module(path: str, module: str) -> None:
    assert module_name(path) == module
