from __future__ import annotations

import os
from pathlib import Path

from examples.codesearch.listing import Listed, _is_known, compare, python_files
from tests.examples.codesearch.trees import write

FILES = {
    "a.py": "",
    "b/c.py": "",
    "b/d/__init__.py": "",
    "b/notes.txt": "",
    ".hidden/x.py": "",
    ".x.py": "",
    "b/__pycache__/c.py": "",
    "site-packages/foreign.py": "",
}


def version(path: Path) -> tuple[int, int]:
    return path.stat().st_size, path.stat().st_mtime_ns


def test_python_files_are_listed_and_what_is_hidden_installed_or_made_is_not(
    tmp_path: Path,
) -> None:
    write(tmp_path, FILES)
    assert sorted(python_files(tmp_path)) == ["a.py", "b/c.py", "b/d/__init__.py"]


def test_a_link_to_a_directory_is_not_followed(tmp_path: Path) -> None:
    write(tmp_path, FILES)
    (tmp_path / "b" / "round").symlink_to(tmp_path)
    assert len(list(python_files(tmp_path))) == 3


def test_a_directory_is_compared_with_what_is_stored(tmp_path: Path) -> None:
    write(tmp_path, FILES)
    stored = {path: version(tmp_path / path) for path in ("a.py", "b/c.py")}
    assert compare(tmp_path, stored) == Listed(3, ("b/d/__init__.py",), ())
    write(tmp_path, {"a.py": "x = 1"})
    (tmp_path / "b/c.py").unlink()
    assert compare(tmp_path, stored) == Listed(2, ("a.py", "b/d/__init__.py"), ("b/c.py",))


def test_of_the_same_size_but_later_is_new(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": "x = 1"})
    stored = {"a.py": version(tmp_path / "a.py")}
    os.utime(tmp_path / "a.py", ns=(0, 1))
    assert compare(tmp_path, stored).new == ("a.py",)


def test_a_link_counts_if_it_leads_to_a_file_inside(tmp_path: Path) -> None:
    write(tmp_path, {"inside/a.py": "", "outside.py": ""})
    for name, target in {"b": "a.py", "c": "../outside.py", "d": "nowhere", "e": "."}.items():
        (tmp_path / "inside" / f"{name}.py").symlink_to(target)
    os.mkfifo(tmp_path / "inside" / "f.py")
    assert sorted(python_files(tmp_path / "inside")) == ["a.py", "b.py"]


def test_what_cannot_be_asked_for_its_state_is_new(tmp_path: Path) -> None:
    assert not _is_known(tmp_path / "gone.py", None)


def test_names_that_are_no_text_are_compared_as_they_are_stored(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.py")
    (tmp_path / name).touch()
    assert compare(tmp_path, {}) == Listed(1, (name,), ())
    stored = {"caf\\xe9.py": version(tmp_path / name)}
    assert compare(tmp_path, stored) == Listed(1, (), ())
