"""``console.outputs``: whose output it is, and that everything is as it was afterwards."""

from __future__ import annotations

import sys
from io import StringIO
from typing import NamedTuple

import pytest
import trio

from runtime import Node, spawn, wait_exit
from runtime.console.outputs import Outputs, StandIn, sink_var


class Streams(NamedTuple):
    """What the program has, without pytest's own, which changes between fixture and test."""

    out: StringIO
    err: StringIO


def streams_of(patch: pytest.MonkeyPatch) -> Streams:
    """Given to the program for the rest of the test."""
    streams = Streams(StringIO(), StringIO())
    patch.setattr(sys, "stdout", streams.out)
    patch.setattr(sys, "stderr", streams.err)
    return streams


def test_without_a_sink_everything_goes_where_it_went(monkeypatch: pytest.MonkeyPatch) -> None:
    streams = streams_of(monkeypatch)
    outputs = Outputs()
    outputs.open()
    print("a")
    print("b", file=sys.stderr)
    sys.stdout.writelines(["c", "d"])
    sys.stdout.flush()
    outputs.close()
    assert (streams[0].getvalue(), streams[1].getvalue()) == ("a\ncd", "b\n")
    assert (sys.stdout, sys.stderr) == (streams.out, streams.err)


def test_with_a_sink_it_goes_there(monkeypatch: pytest.MonkeyPatch) -> None:
    streams = streams_of(monkeypatch)
    outputs, said = Outputs(), list[str]()
    outputs.open()
    token = sink_var.set(said.append)
    print("a", end="")
    sys.stderr.writelines(["b", "c"])
    sys.stdout.flush()
    assert not sys.stdout.isatty()
    with pytest.raises(TypeError, match=r"^write\(\) argument must be str, not bytes$"):
        sys.stdout.write(b"x")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    sink_var.reset(token)
    outputs.close()
    assert "".join(said) == "abc"
    assert (streams[0].getvalue(), streams[1].getvalue()) == ("", "")


def test_the_last_of_several_takes_the_stand_in_away(monkeypatch: pytest.MonkeyPatch) -> None:
    streams = streams_of(monkeypatch)
    first, second = Outputs(), Outputs()
    first.open()
    stand_in = sys.stdout
    second.open()
    assert sys.stdout is stand_in
    first.close()
    assert sys.stdout is stand_in
    second.close()
    assert sys.stdout is streams[0]


def test_what_somebody_put_over_it_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    streams = streams_of(monkeypatch)
    outputs, mine = Outputs(), StringIO()
    outputs.open()
    sys.stdout = mine
    outputs.close()
    assert sys.stdout is mine
    assert sys.stderr is streams[1]


def test_what_somebody_put_over_it_is_stood_in_for(monkeypatch: pytest.MonkeyPatch) -> None:
    streams_of(monkeypatch)
    outputs, mine = Outputs(), StringIO()
    outputs.open()
    sys.stdout = mine
    outputs.ensure()
    assert isinstance(sys.stdout, StandIn)
    print("a", end="")
    outputs.close()
    assert sys.stdout is mine
    assert mine.getvalue() == "a"


def test_what_it_does_not_know_the_original_does(monkeypatch: pytest.MonkeyPatch) -> None:
    streams = streams_of(monkeypatch)
    stand_in = StandIn(streams[0])
    assert stand_in.getvalue() == ""  # type: ignore[operator]  # pyright: ignore[reportCallIssue]
    assert not stand_in.isatty()


def test_there_may_be_no_original() -> None:
    stand_in = StandIn(None)
    assert stand_in.write("abc") == 3
    stand_in.flush()
    assert not stand_in.isatty()
    with pytest.raises(AttributeError, match="no original stream that could have 'buffer'"):
        _ = stand_in.buffer


async def test_processes_print_for_who_started_them(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    streams = streams_of(monkeypatch)
    outputs, said = Outputs(), list[str]()

    async def session() -> None:
        await wait_exit(spawn(below))

    async def below() -> None:
        print("below")
        await wait_exit(spawn(deeper))

    async def deeper() -> None:
        print("deeper")

    async def stranger() -> None:
        print("stranger")

    outputs.open()
    pid = spawn(session)
    outputs.sinks[pid] = said.append
    await wait_exit(pid)
    await wait_exit(spawn(stranger))
    print("nobody")
    outputs.close()
    assert "".join(said) == "below\ndeeper\n"
    assert streams[0].getvalue() == "stranger\nnobody\n"
    await trio.lowlevel.checkpoint()
