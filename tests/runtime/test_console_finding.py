"""``console.finding``: which process is meant."""

from __future__ import annotations

from typing import Any, cast

import pytest
import trio
import trio.testing

from runtime import Node, Pid, named, ref, set_label, spawn, wait_exit
from runtime.console.finding import NotFound, process_of


async def worker(label: str | None = None) -> None:
    set_label(label)
    await trio.sleep_forever()


async def test_a_process_is_found_by_what_it_has(node: Node) -> None:
    pid = spawn(worker, "special", name="first")
    other = spawn(worker, "7th")
    await trio.testing.wait_all_tasks_blocked()
    for who in ("first", pid.number, str(pid.number), pid, ref(pid), named("first"), "special"):
        assert process_of(who).pid is pid
    assert process_of("7th").pid is other


async def test_the_name_goes_before_the_number(node: Node) -> None:
    first = spawn(worker)
    pid = spawn(worker, name=str(first.number))
    assert process_of(str(first.number)).pid is pid
    assert process_of(first.number).pid is first


async def test_what_is_not_there_is_said_with_what_is(node: Node) -> None:
    spawn(worker, name="counter")
    for _ in range(12):
        spawn(worker)
    texts = {
        "countre": "no process is called 'countre'; there are 'counter'",
        "x": "no process is called 'x'",
        "99": "there is no process 99, or no more",
        "worker": (
            "12 processes are called 'worker', say which: 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 2 more"
        ),
    }
    for who, text in texts.items():
        with pytest.raises(NotFound) as caught:
            process_of(who)
        assert str(caught.value) == text


async def test_two_of_a_kind_are_named(node: Node) -> None:
    spawn(worker)
    spawn(worker)
    with pytest.raises(NotFound, match=r"^2 processes are called 'worker', say which: 1, 2$"):
        process_of("worker")


async def test_the_dead_are_said_to_be(node: Node) -> None:
    async def done() -> None: ...

    pid = spawn(done)
    await wait_exit(pid)
    with pytest.raises(NotFound, match=r"^<Pid 1 done> is not alive$"):
        process_of(pid)


@pytest.mark.parametrize("who", [None, True, 1.5, Pid])
async def test_other_things_mean_nobody(node: Node, who: object) -> None:
    with pytest.raises(TypeError, match=r"^who: got .*, allowed are a name, a number, a Pid and"):
        process_of(cast("Any", who))
