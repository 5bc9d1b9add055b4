"""The programs in docs/ print what is shown beside them, their tables of options are complete and
true, and the files they link to exist."""

from __future__ import annotations

import ast
import inspect
import math
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest

import runtime
import supervisors
from runtime.stream_options import StreamOptions

ROOT = Path(__file__).parent.parent
TEXTS = {path.name: path.read_text() for path in sorted((ROOT / "docs").glob("*.md"))}
SHOWN = re.compile(r"```python\n(.*?)```\n\n```text\n(.*?)```", re.DOTALL)
PROGRAMS = [(name, *found) for name, text in TEXTS.items() for found in SHOWN.findall(text)]


@pytest.mark.parametrize(
    ("program", "output"),
    [(program, output) for _, program, output in PROGRAMS],
    ids=[f"{name}-{number}" for number, (name, *_) in enumerate(PROGRAMS)],
)
def test_a_program_prints_what_is_shown(tmp_path: Path, program: str, output: str) -> None:
    (tmp_path / "program.py").write_text(program)
    done = subprocess.run(
        [sys.executable, "-W", "error", "program.py"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.stderr, done.returncode) == (output, "", 0)


def test_every_program_has_its_output() -> None:
    assert sum(text.count("```python") for text in TEXTS.values()) == len(PROGRAMS) > 5


@pytest.mark.parametrize("name", TEXTS)
def test_every_file_it_links_to_exists(name: str) -> None:
    prose = re.sub(r"```.*?```", "", TEXTS[name], flags=re.DOTALL)
    for link in re.findall(r"\]\((?!https?:|#)([^)#]*)[^)]*\)", prose):
        assert (ROOT / "docs" / link).exists(), link


# ---------------------------------------------------------------------- options

FAMILY = TEXTS["family.md"]
OPTIONS = dict(
    re.findall(
        r"^\| Option of (?:an? )?`([\w.]+)` .*\n\|---.*\n((?:\|.*\n)+)", FAMILY, re.MULTILINE
    )
)
ROW = re.compile(r"^\| (.*?) \| (.*) \| (.*?) \|$", re.MULTILINE)
REQUIRED = inspect.Parameter.empty


def options_in(table: str) -> dict[str, object]:
    """The names and the defaults that a table says, also of two options in one row."""
    found: dict[str, object] = {}
    for names, _, defaults in ROW.findall(table):
        values = re.findall(r"`(.*?)`", defaults) if defaults != "required" else [None]
        for name, value in zip(re.findall(r"`(\w+)`", names), values, strict=True):
            found[name] = REQUIRED if value is None else literal(value)
    return found


def literal(text: str) -> object:
    """What is written in a table."""
    return math.inf if text == "math.inf" else ast.literal_eval(text)


def called(name: str) -> Callable[..., Any]:
    """What has these options."""
    if name == "async_stream":
        return StreamOptions
    first, *rest = name.split(".")
    found: Any = getattr(runtime, first, None) or getattr(supervisors, first)
    for part in rest:
        found = getattr(found, part)
    return found  # type: ignore[no-any-return]


def options_of(name: str) -> dict[str, inspect.Parameter]:
    """What there is; of a keyed limiter, what its limiters do not have or not so."""
    options = dict(inspect.signature(called(name)).parameters)
    for hidden in ("self", "linked"):
        options.pop(hidden, None)
    if name == "KeyedRateLimiter":
        of_each = options_of("RateLimiter").items()
        options = {key: one for key, one in options.items() if (key, one) not in of_each}
    return options


def test_every_tool_has_its_table_of_options() -> None:
    assert set(OPTIONS) >= {
        "TaskSupervisor", "async_stream", "DynamicSupervisor", "Registry", "PartitionSupervisor",
        "RateLimiter", "KeyedRateLimiter", "Pool", "Table",
    }  # fmt: skip


@pytest.mark.parametrize("name", OPTIONS)
def test_a_table_has_every_option_with_its_default(name: str) -> None:
    options = {key: one.default for key, one in options_of(name).items()}
    assert {key: (type(one), one) for key, one in options_in(OPTIONS[name]).items()} == {
        key: (type(one), one) for key, one in options.items()
    }


@pytest.mark.parametrize("name", OPTIONS)
def test_a_table_has_every_word_that_is_allowed(name: str) -> None:
    cells = {
        key: allowed
        for names, allowed, _ in ROW.findall(OPTIONS[name])
        for key in re.findall(r"`(\w+)`", names)
    }
    module = sys.modules[called(name).__module__]
    for key, option in options_of(name).items():
        words = [
            one for one in get_args(vars(module).get(option.annotation)) if isinstance(one, str)
        ]
        assert [word for word in words if f'`"{word}"`' not in cells[key]] == []
