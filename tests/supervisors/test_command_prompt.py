"""The prompt, with keys and answers played by the test."""

from __future__ import annotations

import asyncio
import stat
import threading
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest
from prompt_toolkit.history import FileHistory, InMemoryHistory
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output import DummyOutput

from runtime.console.frames import (
    Complete,
    Completions,
    Done,
    Evaluate,
    Failed,
    Goodbye,
    Output,
    ToService,
)
from supervisors.command.client import Client, connect
from supervisors.command.problems import ServiceGone
from supervisors.command.prompt import Prompt, history_file, open_history
from tests.supervisors.fake_console import FakeConsole, Said, fake_console

GREETING = "shop: os pid 4711, Python 3.11.7, up 1m05\r\nh() lists the helpers, ctrl-D leaves\r\n"


class Screen(DummyOutput):
    """Keeps what is written above the prompt."""

    def __init__(self) -> None:
        self.text = ""

    def write_raw(self, data: str) -> None:
        self.text += data


class Sitting:
    """A prompt, a user who types and a service that answers."""

    def __init__(self, client: Client, console: FakeConsole, keys: PipeInput) -> None:
        self.console = console
        self.keys = keys
        self.screen = Screen()
        self.history = InMemoryHistory()
        self.prompt = Prompt(
            client, lambda _: nullcontext(), history=self.history, terminal=keys, screen=self.screen
        )

    def type(self, keys: str) -> str:
        """What is shown after the greeting when these keys were typed, and ctrl-D at last."""
        self.keys.send_text(keys + "\x04")
        self.prompt.run()
        assert self.screen.text.startswith(GREETING)
        return self.screen.text.removeprefix(GREETING)

    @property
    def sources(self) -> list[str]:
        return [one.source for one in self.console.asked if isinstance(one, Evaluate)]


def reply(frame: ToService) -> Iterable[Said]:
    match frame:
        case Evaluate(id, "1 + 2"):
            return [Done(id, "3")]
        case Evaluate(id, "x"):
            return [Failed(id, "NameError", "NameError: x\x1b\n")]
        case Evaluate(id, "bye"):
            return [Goodbye("the service is stopping")]
        case Evaluate(id, "later"):
            return [Done(id, None), Output(id, "of a task\n"), Goodbye("over")]
        case Evaluate(id):
            return [Output(id, "out\n"), Done(id, None)]
        case Complete(id, 'state("co'):
            return [Completions(id, ("counter",))]
        case Complete(id, "sta"):
            return [Completions(id, ("start", "state"))]
        case Complete(id):
            return [Failed(id, "Busy", "no")]
        case _:
            return []


@pytest.fixture
def sitting(tmp_path: Path) -> Iterator[Sitting]:
    with fake_console(tmp_path / "s", reply) as console, create_pipe_input() as keys:
        client = connect(tmp_path / "s", lambda text: None)
        yield Sitting(client, console, keys)
        client.close()


def test_values_output_and_errors_are_shown(sitting: Sitting) -> None:
    assert sitting.type("1 + 2\rx\rprint()\r\r   \r") == "3\r\nNameError: x\ufffd\r\nout\r\n"
    assert sitting.sources == ["1 + 2", "x", "print()"]
    assert sitting.history.get_strings() == ["1 + 2", "x", "print()", "   "]


def test_a_block_ends_with_an_empty_line_and_is_indented(sitting: Sitting) -> None:
    sitting.type("if x:\rf()\r\r")
    assert sitting.sources == ["if x:\n    f()\n    "]


def test_enter_in_the_middle_begins_a_line(sitting: Sitting) -> None:
    sitting.type("ab\x1b[D\r\x1b[F\r")
    assert sitting.sources == ["a\nb"]


def test_ctrl_c_at_the_prompt_forgets_the_line(sitting: Sitting) -> None:
    sitting.type("nonsense\x031 + 2\r")
    assert sitting.sources == ["1 + 2"]


def test_tab_indents_at_the_beginning_of_a_line(sitting: Sitting) -> None:
    sitting.type("if x:\r\x7f\x7f\x7f\x7f\tf()\r\x7f\x7f\x7f\x7f\r")
    assert sitting.sources == ["if x:\n    f()\n"]


def test_tab_completes_the_word(sitting: Sitting) -> None:
    sitting.prompt._session.app.ttimeoutlen = 0.0
    sitting.type('state("co\t")\r')
    assert sitting.sources == ['state("counter")']


def test_tab_goes_through_what_fits(sitting: Sitting) -> None:
    sitting.keys.send_text("sta\t")
    shown = threading.Event()

    def choose(_: object) -> None:
        if sitting.prompt._session.default_buffer.complete_state and not shown.is_set():
            shown.set()
            sitting.keys.send_text("\t\r\r\x04")

    sitting.prompt._session.app.after_render += choose
    sitting.prompt.run()
    assert sitting.sources == ["start"]


def test_where_the_service_has_no_words_tab_does_nothing(sitting: Sitting) -> None:
    sitting.type("busy\t()\r")
    assert sitting.sources == ["busy()"]


def test_the_service_ends_while_it_evaluates(sitting: Sitting) -> None:
    with pytest.raises(ServiceGone, match="the service is stopping"):
        sitting.type("bye\r")


def test_output_of_tasks_and_the_end_are_heard_at_an_idle_prompt(sitting: Sitting) -> None:
    sitting.keys.send_text("later\r")
    with pytest.raises(ServiceGone, match="over"):
        sitting.prompt.run()
    assert "of a task" in sitting.screen.text


def test_an_end_in_the_moment_of_leaving_is_no_failure(
    sitting: Sitting, monkeypatch: pytest.MonkeyPatch
) -> None:
    sitting.console.say(Goodbye("over"))
    app = sitting.prompt._session.app
    monkeypatch.setattr(type(app), "is_done", True)
    loop = asyncio.new_event_loop()
    try:
        sitting.prompt._client._receive(None)
        sitting.prompt._hear(loop)
    finally:
        loop.close()


def test_the_history_is_a_file_for_its_owner_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    path = history_file()
    assert path == tmp_path / "state" / "trio-otp" / "history"
    history = open_history(path)
    assert isinstance(history, FileHistory)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    history.store_string("tree()")
    assert list(open_history(path).load_history_strings()) == ["tree()"]


def test_without_a_place_the_history_is_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert history_file() == tmp_path / ".local" / "state" / "trio-otp" / "history"
    (tmp_path / "file").touch()
    assert isinstance(open_history(tmp_path / "file" / "x" / "history"), InMemoryHistory)
