"""``console.vocabulary``: the names at the prompt."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
import trio
import trio.testing

from runtime import Call, Cast, GenServer, Node, Ref, handles, is_alive, spawn, start, wait_exit
from runtime.console.acts import said
from runtime.process import Process
from tests.consoles import Client, attached, open_console

pytestmark = pytest.mark.real_clock


class Add(Cast, frozen=True):
    by: int = 1


class Get(Call[int]): ...


class Counter(GenServer):
    def __init__(self, n: int) -> None:
        self.n = n

    @handles(Add)
    def add(self, message: Add) -> None:
        self.n += message.by

    @handles(Get)
    def get(self, request: Get) -> int:
        return self.n


async def restart(process: Process) -> str:
    return f"restarted {said(process)}"


async def crash() -> None:
    raise ValueError("boom")


@pytest.fixture
async def counter(node: Node) -> Ref:
    return await start(Counter.child_spec(3).replace(name="counter"))


@pytest.fixture
async def client(counter: Ref, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Client]:
    async with open_console(monkeypatch, restart=restart) as (_, path), attached(path) as client:
        yield client


IDLE = "q=0  handled=N  up N"
SHOWN = {
    "tree()": f"counter  Counter  <1>  {IDLE}\nConsole  <2>  {IDLE}\n`-- session  <3>  {IDLE}",
    "tree(2)": f"Console  <2>  {IDLE}\n`-- session  <3>  {IDLE}",
    "state('counter')": "{'n': 3}",
    "(await state(1))['n']": "3",
    "names()": "['counter']",
    "whereis('counter')": "<Pid 1 counter>",
    "whereis('nobody')": None,
    "pid(1)": "<Pid 1 counter>",
    "mailbox('counter')": "[]",
    "links('counter')": "[]",
    "where('counter')": "it waits for messages",
    "where()": "the loop runs session (3)\nstack:\n  FILE:1 <module>",
    "crashes()": "nothing has crashed",
    "suspend('counter')": "suspended counter (1)",
    "await suspend(1); await resume(1)": "resumed counter (1)",
    "restart('counter')": "restarted counter (1)",
    "stop('counter')": "stopped counter (1)",
    "kill('counter')": "killed counter (1)",
    "replace_state('counter', lambda state: {'n': 9})": "{'n': 9}",
    "trace('counter')": "tracing counter (1), 100 events at most; untrace('counter') ends it",
    "untrace('counter')": "counter (1) is not traced any more",
    "runtime.__name__": "'runtime'",
    "named('counter').pid is ref(pid(1)).pid": "True",
    "help()": "h() lists the names that are here, help(x) tells what Python knows of x",
}


@pytest.mark.parametrize("source", SHOWN)
async def test_what_is_shown(client: Client, source: str) -> None:
    found = await client.run(source)
    assert (None if found is None else steadied(found)) == SHOWN[source]


def steadied(text: str) -> str:
    """Without what is not the same each time."""
    text = re.sub(r"<console \d+:\d+>", "FILE", text)
    return re.sub(r"handled=\d+  up \d+s", "handled=N  up N", text)


async def test_top_and_info_show_a_line_for_each(client: Client) -> None:
    top = await client.run("top(find='counter')")
    assert top is not None
    assert [line.split()[1] for line in top.splitlines()] == ["NAME", "counter"]
    info = await client.run("info('counter')")
    assert info is not None
    assert info.splitlines()[:2] == ["pid           1", "name          counter"]


REFUSED = {
    "state('nobody')": "NotFound: no process is called 'nobody'",
    "info(99)": "NotFound: there is no process 99, or no more",
    "crash()": "NotFound: there is no crash -1; 0 are known",
    "suspend('session')": "NotDone: session (3) is no server: a function answers nothing",
    "input()": "NotImplementedError: this would read the terminal of the service, not yours",
    "breakpoint()": "NotImplementedError: this would read the terminal of the service, not yours",
    "exit()": "NotImplementedError: ctrl-D leaves the console; to stop the service send it SIGTERM",
    "quit()": "NotImplementedError: ctrl-D leaves the console; to stop the service send it SIGTERM",
    "kill(None)": "TypeError: who: got None, allowed are a name, a number, a Pid and a Ref",
}


@pytest.mark.parametrize("source", REFUSED)
async def test_what_is_refused(client: Client, source: str) -> None:
    failed = await client.fails(source)
    assert failed.text.splitlines()[-1].endswith(REFUSED[source])


async def test_a_kill_needs_no_await(client: Client, counter: Ref) -> None:
    await client.run("for who in ['counter']: kill(who)\n")
    await wait_exit(counter)
    assert not is_alive(counter)


async def test_crashes_are_shown_one_by_one(client: Client) -> None:
    for name in ("a", "b"):
        await wait_exit(spawn(crash, name=name))
    lines = ((await client.run("crashes()")) or "").splitlines()
    assert [line.split()[0::2][:2] for line in lines] == [["-2", "a"], ["-1", "b"]]
    for source, name in (("crash()", "b"), ("crash(-2)", "a"), ("crash(0)", "a")):
        text = (await client.run(source)) or ""
        assert text.splitlines()[0].split()[1] == name
        assert text.endswith("ValueError: boom")


async def test_a_trace_is_printed_to_whom_it_was_asked_by(client: Client) -> None:
    await client.run("trace('counter', limit=3)")
    source = f"from {__name__} import Add\nnamed('counter').cast(Add(by=2))\nawait state('counter')"
    printed, _ = await client.end(await client.begin(source))
    events = [line.split(" ", 4) for line in printed.splitlines()]
    assert [event[3] for event in events] == ["cast", "noreply"]
    assert events[0][4] == "Add(by=2)"
    assert re.fullmatch(r"after \d+\.\d\d ms", events[1][4])


async def test_all_names_are_listed_with_what_they_do(client: Client) -> None:
    text = (await client.run("h()")) or ""
    lines = [line for line in text.splitlines()[4:] if not line.startswith(" ")]
    listed = {line[:14].strip(): line[14:] for line in lines}
    expected = (
        "tree top info state mailbox where links names whereis crashes crash trace untrace kill "
        "stop restart suspend resume replace_state runtime h pid named ref"
    )
    assert sorted(listed) == sorted(expected.split())
    assert "" not in listed.values()
    assert max(map(len, text.splitlines())) < 80
    assert "The attributes of a server" in ((await client.run("h(state)")) or "")
    assert "Return the number of items" in ((await client.run("help(len)")) or "")
    await trio.testing.wait_all_tasks_blocked()
