"""Starting a supervisor: the order, what happens when a child fails, and what is refused."""

from __future__ import annotations

import math
from typing import Any

import pytest
import trio

from runtime import (
    ChildSpec,
    Crashed,
    Exit,
    GenServer,
    Node,
    Normal,
    Shutdown,
    StartFailed,
    Stop,
    child_spec,
    receive,
    start,
    whereis,
)
from supervisors import Backoff, FailedToStartChild, Supervisor, SupervisorRef
from tests.conftest import Recorder
from tests.supervisors.tree_parts import (
    Worker,
    begin_after,
    counts,
    kids,
    start_supervisor,
    worker,
    workers,
)
from tests.support import in_process


async def test_children_start_in_order_each_after_the_init_of_the_one_before(node: Node) -> None:
    """SUP-001."""
    seen: list[tuple[str, float]] = []

    async def begin(tag: str) -> None:
        await trio.sleep(1)
        seen.append((tag, trio.current_time()))

    def slow(tag: str) -> ChildSpec:
        return worker([], tag, begin=lambda: begin(tag))

    began = trio.current_time()
    await start_supervisor([slow("a"), slow("b"), slow("c")])
    assert [(tag, at - began) for tag, at in seen] == [("a", 1), ("b", 2), ("c", 3)]


async def test_count_children_counts_stopped_ones_as_specs_but_not_as_active(node: Node) -> None:
    """SUP-006."""
    sup = await start_supervisor([*workers([], "ab"), Supervisor.child_spec([])])
    assert await counts(sup) == (3, 3, 1, 2)
    await sup.terminate_child("a")
    await sup.terminate_child("Supervisor")
    assert await counts(sup) == (3, 1, 1, 2)
    assert await counts(await start_supervisor([])) == (0, 0, 0, 0)


def test_two_children_of_one_id_are_refused_before_anything_starts() -> None:
    """SUP-007. differs: an exception when the spec is made, no error tuple at the start."""
    with pytest.raises(ValueError, match="children: two have the id 'a'"):
        Supervisor.child_spec([worker([], "a"), worker([], "b"), worker([], "a")])


async def test_a_child_that_fails_to_start_undoes_those_before_it(
    node: Node, events: Recorder
) -> None:
    """SUP-008: earlier ones are stopped in reverse, later ones never started; a trapping
    caller gets the error and an Exit with the same reason. differs: StartFailed, no tuple.
    """
    log: list[str] = []
    error = ValueError("no luck")

    def fail() -> None:
        raise error

    spec = Supervisor.child_spec(
        [*workers(log, "ab"), worker(log, "c", begin=fail), worker(log, "d")]
    )

    async def parent() -> tuple[StartFailed, Exit]:
        with pytest.raises(StartFailed) as caught:
            await Supervisor.start_link(
                [*workers(log, "ab"), worker(log, "c", begin=fail), worker(log, "d")]
            )
        return caught.value, await receive(Exit)

    assert spec.type == "supervisor"
    failed, message = await in_process(parent, trap=True)
    assert failed.reason == Shutdown(FailedToStartChild("c", Crashed(error)))
    assert message.reason == failed.reason
    assert log == ["init a", "init b", "init c", "terminate b shutdown", "terminate a shutdown"]


async def test_a_subclass_computes_its_children(node: Node) -> None:
    """SUP-012 differs: the module's init that returns ignore or junk is a class's __init__ here:
    it computes the children and raises what is wrong.
    """

    class Shop(Supervisor):
        def __init__(self, log: list[str], tags: str) -> None:
            if not tags:
                raise ValueError("nothing to sell")
            super().__init__(workers(log, tags), strategy="rest_for_one")

    log: list[str] = []
    sup = SupervisorRef(await start(Shop.child_spec(log, "ab")))
    assert await kids(sup) == "b=up a=up"
    with pytest.raises(StartFailed) as caught:
        await start(Shop.child_spec(log, ""))
    assert isinstance(caught.value.reason, Crashed)
    assert str(caught.value.reason.exception) == "nothing to sell"
    with pytest.raises(TypeError, match="arguments of Shop"):
        Shop.child_spec(log)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"strategy": "one_for_none"}, "strategy: got 'one_for_none', allowed are 'one_for_one'"),
        ({"strategy": None}, "strategy: got None"),
        ({"max_restarts": -1}, "max_restarts: got -1, allowed is an int of 0 or more"),
        ({"max_restarts": 1.5}, "max_restarts: got 1.5"),
        ({"max_restarts": True}, "max_restarts: got True"),
        ({"max_seconds": 0}, "max_seconds: got 0, allowed is a number above 0"),
        ({"max_seconds": -1}, "max_seconds: got -1"),
        ({"max_seconds": "5"}, "max_seconds: got '5', allowed is a number of seconds"),
        ({"max_seconds": math.nan}, "max_seconds: got nan"),
        ({"auto_shutdown": "some"}, "auto_shutdown: got 'some', allowed are 'never'"),
        ({"backoff": 0.5}, r"backoff: got 0.5, allowed are Backoff\(...\) and None"),
        ({"intensity": 3}, "intensity"),
    ],
)
def test_an_option_that_is_wrong_is_refused_when_the_spec_is_made(
    options: dict[str, Any], message: str
) -> None:
    """SUP-013, contract 9: it names the field, what was given and what is allowed."""
    with pytest.raises((ValueError, TypeError), match=message):
        Supervisor.child_spec([], **options)
    with pytest.raises((ValueError, TypeError), match=message):
        Supervisor([], **options)


async def test_every_option_has_a_default(node: Node) -> None:
    """SUP-014 differs: the strategy may be left out and is one_for_one."""
    sup = Supervisor([])
    assert (sup.strategy, sup.auto_shutdown) == ("one_for_one", "never")
    assert Supervisor([], backoff=Backoff()).strategy == "one_for_one"


def test_the_children_themselves_may_not_be_left_out() -> None:
    """SUP-014: what has no default is asked for by name."""
    with pytest.raises(TypeError, match="children"):
        Supervisor.child_spec()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


@pytest.mark.parametrize("children", ["abc", 5, None, worker([], "a")])
def test_children_must_be_a_list(children: Any) -> None:
    with pytest.raises(TypeError, match=r"children: got .*, allowed is a list of child specs"):
        Supervisor.child_spec(children)


@pytest.mark.parametrize("child", ["a", 5, object(), {"id": "a"}, int, ("a", "b")])
def test_what_cannot_be_a_child_is_refused(child: Any) -> None:
    """SUP-015 differs: a spec cannot lack its start or id; what is no spec is refused."""
    with pytest.raises(TypeError, match=r"children: got .*, allowed are a ChildSpec"):
        Supervisor.child_spec([child])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"restart": "always"}, "restart: got 'always', allowed are 'permanent', 'transient'"),
        ({"type": "manager"}, "type: got 'manager', allowed are 'worker', 'supervisor'"),
        ({"shutdown": -1}, "shutdown: got -1"),
        ({"shutdown": "kill"}, "shutdown: got 'kill', allowed are seconds, math.inf and 'brutal"),
        ({"shutdown": None}, "shutdown: got None"),
        ({"shutdown": math.nan}, "shutdown: got nan"),
        ({"significant": 1}, "significant: got 1, allowed are True and False"),
        ({"enabled": "yes"}, "enabled: got 'yes', allowed are a bool and a function"),
        ({"name": 7}, "name: got 7, allowed is a non-empty string"),
        ({"mailbox": 5}, "mailbox: got 5, allowed are MailboxLimit"),
        ({"modules": []}, "replace: got 'modules', allowed are enabled, id, mailbox, name"),
        ({"budget": 3}, "replace: got 'budget'"),
    ],
)
def test_a_wrong_field_of_a_spec_is_refused_when_it_is_set(
    options: dict[str, Any], message: str
) -> None:
    """SUP-016, SUP-094. differs: there are no modules and no mfa to be wrong."""
    with pytest.raises((ValueError, TypeError), match=message):
        worker([], "a").replace(**options)


async def test_children_come_as_specs_classes_and_functions(node: Node) -> None:
    """SUP-093 differs: a GenServer class stands for its child_spec(), an async function for
    child_spec(fn), and None for a child left out; (module, arg) is Class.child_spec(arg).
    """

    class Plain(GenServer):
        """A server without arguments."""

    async def forever() -> None:
        await trio.sleep_forever()

    sup = await start_supervisor([Plain, forever, None, child_spec(trio.sleep, math.inf)])
    assert await kids(sup) == "sleep=up forever=up Plain=up"


@pytest.mark.parametrize("child", [Worker, trio.sleep, lambda: None, print])
def test_a_class_or_function_that_cannot_be_started_is_refused(child: Any) -> None:
    """SUP-093: arguments are missing, or it is not async."""
    with pytest.raises(TypeError, match=r"arguments of|allowed is an async function"):
        Supervisor.child_spec([child])


async def test_children_that_are_not_enabled_are_left_out(node: Node) -> None:
    asked: list[str] = []

    def ask() -> bool:
        asked.append("b")
        return False

    sup = await start_supervisor(
        [
            worker([], "a").replace(enabled=False),
            worker([], "b").replace(enabled=ask),
            worker([], "c").replace(enabled=lambda: True),
        ]
    )
    assert await kids(sup) == "c=up"
    assert asked == ["b"]


async def test_an_enabled_function_that_returns_junk_fails_the_start(node: Node) -> None:
    with pytest.raises(StartFailed) as caught:
        await start_supervisor([worker([], "a").replace(enabled=lambda: "yes")])  # type: ignore[arg-type,return-value]  # pyright: ignore[reportArgumentType]
    assert isinstance(caught.value.reason, Crashed)
    assert str(caught.value.reason.exception) == (
        "enabled of child 'a': returned 'yes', allowed are True and False"
    )


async def test_children_given_as_an_iterator_are_there_again_after_a_restart(node: Node) -> None:
    """The spec keeps them: a restarted supervisor has the same children."""
    log: list[str] = []
    spec = Supervisor.child_spec(iter(workers(log, "ab"))).replace(id="inner")
    outer = await start_supervisor([spec])
    await outer.terminate_child("inner")
    await outer.restart_child("inner")
    assert log.count("init a") == log.count("init b") == 2


async def test_a_start_that_is_cancelled_leaves_nothing(node: Node) -> None:
    """Contract 6: in the middle of a slow init. What is started is killed, so the children before
    it hear that from their supervisor.
    """
    log: list[str] = []
    with trio.move_on_after(5) as patience:
        await start(
            Supervisor.child_spec(
                [*workers(log, "ab"), worker(log, "c", begin=begin_after(60)), worker(log, "d")]
            ).replace(name="shop")
        )
    assert patience.cancelled_caught
    assert log[:3] == ["init a", "init b", "init c"]
    assert sorted(log[3:]) == ["terminate a killed", "terminate b killed"]
    assert whereis("shop") is None
    await sup_with_the_name()


async def sup_with_the_name() -> None:
    """The name is free."""
    await start(Supervisor.child_spec([]).replace(name="shop"))


async def test_a_child_that_ends_at_once_is_no_failed_start(node: Node) -> None:
    """A function without task_status is up when it begins, so its return is an end."""

    async def done() -> None:
        return

    sup = await start_supervisor([child_spec(done).replace(restart="transient")])
    await trio.sleep(1)
    assert await kids(sup) == "done=undefined"


async def test_a_worker_that_stops_in_init_gives_its_reason(node: Node) -> None:
    with pytest.raises(StartFailed) as caught:
        await start_supervisor([worker([], "a", begin=lambda: Stop(Normal()))])
    assert caught.value.reason == Shutdown(FailedToStartChild("a", Normal()))
