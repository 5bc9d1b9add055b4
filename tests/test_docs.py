"""The programs in docs/ print what is shown beside them, the test files pass, the tables of options
are complete and true, and the files that are linked to exist."""

from __future__ import annotations

import ast
import inspect
import math
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, get_args
from xml.etree import ElementTree as ET

import pytest

import runtime
import runtime.testing
import supervisors
from runtime.stream_options import StreamOptions

ROOT = Path(__file__).parent.parent
TEXTS = {path.name: path.read_text() for path in sorted((ROOT / "docs").glob("*.md"))}
SHOWN = re.compile(r"```python\n(.*?)```\n\n```text\n(.*?)```", re.DOTALL)
OF_TESTS = "testing.md"
PROGRAMS = [
    (name, *found)
    for name, text in TEXTS.items()
    if name != OF_TESTS
    for found in SHOWN.findall(text)
]


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
    programs = [text.count("```python") for name, text in TEXTS.items() if name != OF_TESTS]
    assert sum(programs) == len(PROGRAMS) > 5


@pytest.mark.parametrize("name", TEXTS)
def test_every_file_it_links_to_exists(name: str) -> None:
    prose = re.sub(r"```.*?```", "", TEXTS[name], flags=re.DOTALL)
    for link in re.findall(r"\]\((?!https?:|#)([^)#]*)[^)]*\)", prose):
        assert (ROOT / "docs" / link).exists(), link


# ---------------------------------------------------------------------- test files

TESTING = TEXTS[OF_TESTS]
FILES: dict[str, str] = dict(
    re.findall(r"^`([\w.]+)`:\n\n```\w+\n(.*?)^```$", TESTING, re.MULTILINE | re.DOTALL)
)
TEST_FILES = [name for name in FILES if name.startswith("test_")]
WITHOUT_TRIO_MODE = {"test_marked.py", "test_with_anyio.py", "test_with_unittest.py"}
FAILS = {"test_leak.py"}


class Run(NamedTuple):
    """What became of the tests of each file, and what was printed."""

    failed: dict[str, dict[str, bool]]
    printed: str


def run_pytest(folder: Path, names: list[str], *options: str) -> Run:
    """Run some of the files, as a user does; warnings are errors."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-W", "error", "--junitxml=report.xml", "--color=no",
         *options, *names],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )  # fmt: skip
    assert (done.returncode in (0, 1), done.stderr) == (True, ""), done.stdout
    failed: dict[str, dict[str, bool]] = defaultdict(dict)
    for case in ET.parse(folder / "report.xml").iter("testcase"):
        file, test = case.attrib["classname"].split(".")[0] + ".py", case.attrib["name"]
        failed[file][test] = len(case) > 0
    return Run(failed, done.stdout)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Run]:
    """All files of the page, with ``trio_mode`` and without."""
    folder = tmp_path_factory.mktemp("page")
    for name, text in FILES.items():
        (folder / name).write_text(text)
    others = [name for name in TEST_FILES if name not in WITHOUT_TRIO_MODE]
    return (
        run_pytest(folder, others),
        run_pytest(folder, sorted(WITHOUT_TRIO_MODE), "-o", "trio_mode=false"),
    )


@pytest.mark.parametrize("name", TEST_FILES)
def test_a_test_file_passes_unless_it_shows_a_failure(runs: tuple[Run, Run], name: str) -> None:
    run = runs[name in WITHOUT_TRIO_MODE]
    failed = run.failed[name]
    written = re.findall(r"^ *(?:async )?def (test_\w+)", FILES[name], re.MULTILINE)
    assert {test.split("[")[0] for test in failed} == set(written) != set()
    assert set(failed.values()) == {name in FAILS}, run.printed


def test_the_leak_is_printed_as_shown(runs: tuple[Run, Run]) -> None:
    (shown,) = re.findall(r"```text\n(.*?)```", TESTING, re.DOTALL)
    margin = re.compile(r"^(E|\ ) {3}", re.MULTILINE)
    assert f"\n{shown}" in margin.sub("", runs[False].printed)


def test_every_file_of_the_page_is_named() -> None:
    assert len(FILES) == TESTING.count("```python") + TESTING.count("```toml") > 10
    assert set(TEST_FILES) > WITHOUT_TRIO_MODE | FAILS


def test_the_page_names_the_whole_kit() -> None:
    prose = re.sub(r"```.*?```", "", TESTING, flags=re.DOTALL)
    said = set(re.findall(r"\w+", " ".join(re.findall(r"`([^`]+)`", prose))))
    assert set(runtime.testing.__all__) - said == set()


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
