"""KeyboardInterrupt and SystemExit in a process end the whole tree, in order, and leave as
themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import trio

from runtime import Crashed, Instrument, ProcessEnded, child_spec, named, spawn
from runtime.current import node_is_open
from supervisors import Strategy, Supervisor, open_supervisor
from tests.conftest import Recorder
from tests.supervisors.tree_parts import (
    Fail,
    begin_after,
    settle,
    start_supervisor,
    worker,
    workers,
)

FATAL: list[Callable[[], BaseException]] = [KeyboardInterrupt, lambda: SystemExit(3)]


@pytest.mark.parametrize("strategy", ["one_for_one", "one_for_all", "rest_for_one"])
@pytest.mark.parametrize("make", FATAL)
async def test_a_fatal_error_in_a_handler_stops_everything_in_order(
    make: Callable[[], BaseException], strategy: Strategy
) -> None:
    """Contract 4: the siblings' terminate run, nothing is restarted, and it leaves as itself."""
    log: list[str] = []
    error = make()
    events = Recorder()
    with pytest.raises(type(error)) as caught:
        async with open_supervisor(
            [worker(log, "a"), worker(log, "b").replace(name="b"), worker(log, "c", nap=2)],
            strategy=strategy,
            instruments=[Instrument(events.append, (ProcessEnded,))],
        ):
            named("b").cast(Fail(error))
            await trio.sleep_forever()
    assert caught.value is error
    assert log == [
        "init a",
        "init b",
        "init c",
        f"terminate b error({type(error).__name__}:{error})",
        "terminate c shutdown",
        "rested c",
        "terminate a shutdown",
    ]
    assert Crashed(error) in [one.reason for one in events.of(ProcessEnded)]
    assert not node_is_open()


@pytest.mark.parametrize("make", FATAL)
async def test_also_from_deep_in_the_tree(make: Callable[[], BaseException]) -> None:
    log: list[str] = []
    error = make()
    spec = worker(log, "deep").replace(name="deep")
    for level in range(4):
        spec = Supervisor.child_spec([worker(log, str(level)), spec]).replace(id=f"s{level}")
    with pytest.raises(type(error)) as caught:
        async with open_supervisor([spec], instruments=[]):
            named("deep").cast(Fail(error))
            await trio.sleep_forever()
    assert caught.value is error
    assert [line for line in log if line.startswith("terminate")] == [
        f"terminate deep error({type(error).__name__}:{error})",
        *(f"terminate {level} shutdown" for level in range(4)),
    ]
    assert log.count("init deep") == 1


@pytest.mark.parametrize("make", FATAL)
async def test_also_from_a_plain_function_and_from_a_group(
    make: Callable[[], BaseException],
) -> None:
    error = make()

    async def work() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep_forever)
            raise error

    log: list[str] = []
    with pytest.raises(type(error)) as caught:
        async with open_supervisor([*workers(log, "a"), work], instruments=[]):
            await trio.sleep_forever()
    assert caught.value is error
    assert log == ["init a", "terminate a shutdown"]


@pytest.mark.parametrize("make", FATAL)
async def test_also_from_an_init_during_the_start(make: Callable[[], BaseException]) -> None:
    """The body is never reached."""
    log: list[str] = []
    error = make()

    def begin() -> Any:
        raise error

    with pytest.raises(type(error)) as caught:
        async with open_supervisor(
            [*workers(log, "ab"), worker(log, "c", begin=begin), worker(log, "d")], instruments=[]
        ):
            pytest.fail("the body ran")
    assert caught.value is error
    assert log == ["init a", "init b", "init c", "terminate b shutdown", "terminate a shutdown"]


@pytest.mark.parametrize("make", FATAL)
async def test_also_from_an_init_during_a_restart(make: Callable[[], BaseException]) -> None:
    log: list[str] = []
    error = make()

    def begin() -> Any:
        if log.count("init b") > 1:
            raise error

    with pytest.raises(type(error)) as caught:
        async with open_supervisor(
            [*workers(log, "a"), worker(log, "b", begin=begin).replace(name="b")], instruments=[]
        ):
            named("b").cast(Fail(ValueError("boom")))
            await trio.sleep_forever()
    assert caught.value is error
    assert log.count("init b") == 2
    assert log[-1] == "terminate a shutdown"


@pytest.mark.parametrize("make", FATAL)
async def test_also_from_a_terminate_while_the_tree_stops(
    make: Callable[[], BaseException],
) -> None:
    """The rest still stops in order."""
    log: list[str] = []
    error = make()
    with pytest.raises(type(error)) as caught:
        async with open_supervisor(
            [*workers(log, "a"), worker(log, "b", last=error)], instruments=[]
        ):
            await settle()
    assert caught.value is error
    assert log[2:] == ["terminate b shutdown", "terminate a shutdown"]


async def test_the_first_of_two_leaves() -> None:
    first, second = KeyboardInterrupt("first"), SystemExit("second")
    log: list[str] = []
    with pytest.raises(KeyboardInterrupt) as caught:
        async with open_supervisor(
            [worker(log, "a", last=second), worker(log, "b").replace(name="b")], instruments=[]
        ):
            named("b").cast(Fail(first))
            await trio.sleep_forever()
    assert caught.value is first


async def test_a_child_that_crashes_meanwhile_is_not_restarted() -> None:
    """Nothing is restarted any more, in the whole node."""
    log: list[str] = []
    error = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        async with open_supervisor(
            [
                worker(log, "a").replace(name="a"),
                worker(log, "b").replace(name="b"),
                worker(log, "c", nap=4),
            ],
            instruments=[],
        ):
            named("b").cast(Fail(error))
            named("a").cast(Fail(ValueError("meanwhile")))
            await trio.sleep_forever()
    assert log.count("init a") == log.count("init b") == 1


async def test_other_trees_of_the_node_stop_too() -> None:
    log: list[str] = []
    error = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt) as caught:
        async with open_supervisor([worker(log, "a").replace(name="a")], instruments=[]):
            await start_supervisor(workers(log, "x"))
            async with open_supervisor(workers(log, "y")):
                named("a").cast(Fail(error))
                await trio.sleep_forever()
    assert caught.value is error
    assert sorted(log[-2:]) == ["terminate x shutdown", "terminate y shutdown"]


async def test_a_process_without_a_supervisor_can_do_it_too() -> None:
    log: list[str] = []
    error = SystemExit(4)

    async def rogue() -> None:
        raise error

    with pytest.raises(SystemExit) as caught:
        async with open_supervisor(workers(log, "a"), instruments=[]):
            spawn(rogue)
            await trio.sleep_forever()
    assert caught.value is error
    assert log[-1] == "terminate a shutdown"


async def test_a_body_that_raises_as_well_does_not_hide_it() -> None:
    """A program end outranks the body's clean-up; the body's error is its context."""
    error = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt) as caught:
        async with open_supervisor([worker([], "a").replace(name="a")], instruments=[]):
            try:
                named("a").cast(Fail(error))
                await trio.sleep_forever()
            finally:
                raise ValueError("clean-up failed")
    assert caught.value is error


async def test_a_slow_start_of_another_child_is_interrupted() -> None:
    log: list[str] = []
    error = KeyboardInterrupt()
    began = trio.current_time()

    async def rogue() -> None:
        await trio.sleep(1)
        raise error

    with pytest.raises(KeyboardInterrupt):
        async with open_supervisor(
            [worker(log, "a"), child_spec(rogue), worker(log, "b", begin=begin_after(60))],
            instruments=[],
        ):
            pytest.fail("the body ran")
    assert trio.current_time() - began == 1
    assert log == ["init a", "init b", "terminate a shutdown"]
