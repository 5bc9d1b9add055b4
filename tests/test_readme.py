"""What the README says is true: its programs print what it shows, its tables name what there is."""

from __future__ import annotations

import inspect
import math
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import runtime
import supervisors
from examples.sitecheck.options import parse
from runtime import ChildSpec
from runtime.child_spec import ChildOptions

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "README.md").read_text()
PROGRAMS: list[str] = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


def program(part: str) -> str:
    """The one program of the README that contains ``part``."""
    (found,) = (text for text in PROGRAMS if part in text)
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A directory with the README's ``counter.py`` in it, which other programs import."""
    (tmp_path / "counter.py").write_text(program("# counter.py"))
    return tmp_path


def run(folder: Path, text: str) -> str:
    """The output of a program, which must end well and complain of nothing."""
    (folder / "program.py").write_text(text)
    done = subprocess.run(
        [sys.executable, "-W", "error", "program.py"],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_the_counter_prints_what_it_says(folder: Path) -> None:
    assert run(folder, program("# counter.py")) == "12\n"


def test_the_tree_lists_its_children(folder: Path) -> None:
    shown = run(folder, program("trio.serve_tcp"))
    assert shown == "Supervisor running supervisor\nhits running worker\n"


def test_the_plain_processes_talk(folder: Path) -> None:
    shown = run(folder, program("async def ping"))
    assert re.fullmatch(r"pong\nDown\(ref=.*, pid=<Pid 2 pong>, reason=Normal\(\), name=None\)\n",
                        shown)  # fmt: skip


def test_the_queue_answers_later(folder: Path) -> None:
    (folder / "deferred.py").write_text(program("# jobs.py"))
    client = """
import trio
from deferred import Put, Queue, Take
from runtime import open_node

async def main():
    async with open_node(), trio.open_nursery() as nursery:
        queue = await Queue.start()
        queue.cast(Put(item="first"))
        print(await queue.call(Take()))
        async def taker():
            print(await queue.call(Take()))
        nursery.start_soon(taker)
        await trio.testing.wait_all_tasks_blocked()
        queue.cast(Put(item="later"))

import trio.testing
trio.run(main)
"""
    assert run(folder, client) == "first\nlater\n"


def test_the_test_in_virtual_time_passes_at_once(folder: Path) -> None:
    text = program("# test_counter.py")
    assert run(folder, "import structlog\nstructlog.configure("
               "logger_factory=structlog.ReturnLoggerFactory())\n" + text) == ""  # fmt: skip


def test_the_redacting_server_shows_the_class_of_a_message_only(folder: Path) -> None:
    asked = program("class Logins") + "print(Logins().redact('message', 5), "
    assert run(folder, asked + "Logins().redact('state', 5))\n") == "int None\n"


def test_the_bounded_stream_prints_the_pages(folder: Path) -> None:
    shown = run(folder, program("# pages.py"))
    assert shown == "page 1\npage 2\nno page: TimedOut(seconds=2.0)\npage 4\n"


def test_the_stages_print_five_at_a_time(folder: Path) -> None:
    (folder / "numbered.py").write_text(program("# numbers.py"))
    client = """
import trio
import trio.testing
from numbered import Numbers, Printer
from supervisors import open_supervisor

class Slow(Printer):
    async def handle_events(self, events, subscription):
        await super().handle_events(events, subscription)
        await trio.sleep(1)

async def main():
    children = [Numbers.child_spec().replace(name="numbers"), Slow.child_spec()]
    async with open_supervisor(children):
        await trio.sleep(1.5)

trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
"""
    assert run(folder, client) == "[0, 1, 2, 3, 4]\n[5, 6, 7, 8, 9]\n"


def test_every_program_is_run_here_or_with_the_journeys() -> None:
    marks = ("# counter.py", "# shop.py", "trio.serve_tcp", "async def ping", "# jobs.py",
             "# test_counter.py", "class Logins", "# pages.py", "# numbers.py")  # fmt: skip
    assert all(any(mark in text for mark in marks) for text in PROGRAMS)


def test_the_options_given_to_the_link_checker_are_its_own() -> None:
    for arguments in re.findall(r'make run ARGS="(.*?)"', TEXT):
        parse(shlex.split(arguments))


def test_the_tables_of_options_are_complete() -> None:
    child_table = TEXT.split("| Option of a child")[1].split("| Option of a supervisor")[0]
    named = set(re.findall(r"^\| `(\w+)` \|", child_table, re.MULTILINE))
    assert named == set(ChildOptions.__annotations__) - {"type"}
    supervisor_table = TEXT.split("| Option of a supervisor")[1].split("\n\n")[0]
    named = set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\| .*? \|", supervisor_table,
                                                          re.MULTILINE))))  # fmt: skip
    parameters = set(inspect.signature(supervisors.Supervisor).parameters) - {"children"}
    assert named == parameters


def test_the_defaults_in_the_tables_are_the_defaults() -> None:
    spec = supervisors.Supervisor.child_spec([])
    assert (spec.shutdown, ChildSpec.__struct_defaults__[3]) == (math.inf, 5.0)
    backoff = supervisors.Backoff()
    assert f"Backoff(initial={backoff.initial}, maximum={backoff.maximum}, " in TEXT
    assert f"factor={backoff.factor}, jitter={backoff.jitter})" in TEXT


def test_every_name_in_the_tables_exists() -> None:
    for name in re.findall(r"`([A-Z]\w+)\(?[^`]*`", TEXT):
        public = hasattr(runtime, name) or hasattr(supervisors, name)
        assert public or name in ("Message", "Get", "None", "SystemExit", "TimeoutError"), name


def test_every_tool_is_in_the_package_it_is_said_to_be_of() -> None:
    sentence, table = re.findall(
        r"Of the package `runtime` are (.*?);.*?(\| Tool .*?)\n\n", TEXT, re.DOTALL
    )[0]
    tools = {
        tool
        for cell in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
        for tool in re.findall(r"`(\w+)`", cell)
    }
    of_runtime = set(re.findall(r"`(\w+)`", sentence))
    assert {tool for tool in tools if hasattr(runtime, tool)} == of_runtime
    assert [tool for tool in tools - of_runtime if not hasattr(supervisors, tool)] == []


def test_every_file_it_links_to_exists() -> None:
    for link in re.findall(r"\]\((?!https?:|#)([^)]*)\)", TEXT):
        assert (ROOT / link).exists(), link
