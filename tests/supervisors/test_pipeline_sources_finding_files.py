"""Going through a directory: order, patterns, links, what vanishes meanwhile."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from supervisors.pipeline.sources.finding_files import Files, Found


def make(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)


def found(root: Path, pattern: Any = "*", skip: Any = ()) -> list[str]:
    return [one.relative.as_posix() for one in Files(root, pattern, skip).take(1000)]


def test_files_come_in_the_order_of_their_paths_part_by_part(tmp_path: Path) -> None:
    make(tmp_path, "b.py", "a/z.py", "a/b/c.py", "a.py", "a-b/x.py", "B.py")
    assert found(tmp_path) == ["B.py", "a/b/c.py", "a/z.py", "a-b/x.py", "a.py", "b.py"]


def test_they_are_taken_a_few_at_a_time(tmp_path: Path) -> None:
    make(tmp_path, "a", "b", "c")
    files = Files(tmp_path, "*", ())
    assert [len(files.take(2)) for _ in range(3)] == [2, 1, 0]


def test_a_file_is_known_by_its_size_and_its_time(tmp_path: Path) -> None:
    make(tmp_path, "a/b")
    os.utime(tmp_path / "a" / "b", ns=(5, 1234567890))
    assert Files(tmp_path, "*", ()).take(5) == [
        Found(tmp_path / "a" / "b", Path("a/b"), 3, 1234567890)
    ]


def test_names_match_one_of_the_patterns(tmp_path: Path) -> None:
    make(tmp_path, "a.py", "b.PY", "c.txt", "d.pyc", "x.py/e.md", "f[1].py")
    assert found(tmp_path, "*.py") == ["a.py", "f[1].py"]
    assert found(tmp_path, ["*.md", "[cd].*"]) == ["c.txt", "d.pyc", "x.py/e.md"]


def test_directories_that_are_to_be_skipped_are_not_entered(tmp_path: Path) -> None:
    make(tmp_path, ".git/a", "a/.git/b", "a/b", "c/.github/d", ".git.txt")
    assert found(tmp_path, skip=".git") == [".git.txt", "a/b", "c/.github/d"]
    assert found(tmp_path, skip=["a", ".git*"]) == [".git.txt"]


def test_links_do_not_lead_out_or_in_circles(tmp_path: Path) -> None:
    root = tmp_path / "root"
    make(tmp_path, "root/a", "root/b/c", "outside", "far/d")
    (root / "circle").symlink_to(root)
    (root / "far").symlink_to(tmp_path / "far")
    (root / "out").symlink_to(tmp_path / "outside")
    (root / "in").symlink_to(root / "b" / "c")
    (root / "nowhere").symlink_to(root / "gone")
    os.mkfifo(root / "pipe")
    assert found(root) == ["a", "b/c", "in"]
    (tmp_path / "link").symlink_to(root)
    assert found(tmp_path / "link") == ["a", "b/c", "in"]


def test_what_vanishes_meanwhile_is_passed_over(tmp_path: Path) -> None:
    make(tmp_path, "a", "b", "c/d", "e")
    files = Files(tmp_path, "*", ())
    assert [one.path.name for one in files.take(1)] == ["a"]
    (tmp_path / "b").unlink()
    (tmp_path / "c" / "d").unlink()
    (tmp_path / "c").rmdir()
    assert [one.path.name for one in files.take(9)] == ["e"]


def test_a_directory_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        found(tmp_path / "nowhere")


BAD: dict[str, tuple[Any, Any, str]] = {
    "a path": ("a/*.py", (), r"pattern: got 'a/\*\.py', allowed is a pattern of a name"),
    "a path to skip": ("*", ["a", "b/c"], "skip: got 'b/c', allowed is a pattern of a name"),
    "an empty one": ("", (), "pattern: got '', allowed is"),
    "no text": ([1], (), "pattern: got 1, allowed is"),
    "none": ((), (), "pattern: got none, allowed is one or several"),
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_pattern_is_refused(tmp_path: Path, what: str) -> None:
    pattern, skip, text = BAD[what]
    with pytest.raises(ValueError, match=text):
        Files(tmp_path, pattern, skip)
