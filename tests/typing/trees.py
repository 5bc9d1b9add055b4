"""What the checkers know about supervision trees."""

from __future__ import annotations

from typing import assert_type

from runtime import ChildSpec, GenServer, Pid, Ref, named
from supervisors import (
    Backoff,
    ChildCounts,
    ChildInfo,
    ChildSource,
    ChildStatus,
    Intensity,
    Strategy,
    Supervisor,
    SupervisorGaveUp,
    SupervisorRef,
    open_supervisor,
    run,
)


class Counter(GenServer):
    def __init__(self, start: int = 0) -> None:
        self.count = start


async def worker() -> None: ...


async def needs_an_argument(number: int) -> None: ...


def blocking() -> None: ...


CHILDREN: list[ChildSource] = [Counter, worker, Counter.child_spec(10), None]


def what_can_be_a_child() -> None:
    run([])
    run(CHILDREN)
    run([Counter, Counter])
    run((worker,))
    run([Counter.child_spec(10)])
    run([Counter.child_spec(10) if CHILDREN else None])
    run(Counter.child_spec(n).replace(id=n) for n in range(3))
    run([5])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    run(["counter"])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    run([blocking])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    run([needs_an_argument])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    run([worker()])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    run([Counter()])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    run(Counter)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    run(Counter.child_spec())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


async def options_are_checked(strategy: Strategy, text: str) -> None:
    async with open_supervisor(
        CHILDREN,
        strategy=strategy,
        max_restarts=3,
        max_seconds=5,
        auto_shutdown="any_significant",
        backoff=Backoff(),
        name="shop",
        instruments=[],
    ) as tree:
        assert_type(tree, SupervisorRef)
    open_supervisor([], strategy="one_for_none")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    open_supervisor([], strategy=text)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    open_supervisor([], "one_for_one")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    open_supervisor([], max_restarts="3")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    open_supervisor([], max_restarts=0.5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    open_supervisor([], max_seconds="5")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    open_supervisor([], auto_shutdown="always")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    open_supervisor([], backoff=2.0)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    open_supervisor([], name=5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    open_supervisor([], restarts=3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    open_supervisor()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await open_supervisor([])  # type: ignore[misc]  # pyright: ignore[reportGeneralTypeIssues]
    with open_supervisor([]):  # type: ignore[attr-defined]  # pyright: ignore[reportGeneralTypeIssues]
        pass


def run_returns_nothing() -> None:
    run([], name="shop", stop_timeout=10, console=True, strategy="rest_for_one")
    run([], stop_timeout="10")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    run([], console="yes")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    run([], strategy="one_for_none")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    status = run([])  # type: ignore[func-returns-value]
    print(status)


async def a_tree_can_be_asked(tree: SupervisorRef) -> None:
    assert_type(await tree.start_child(Counter), Ref)
    assert_type(await tree.start_child(worker), Ref)
    assert_type(await tree.restart_child("counter"), Ref)
    assert_type(await tree.which_children(), list[ChildInfo])
    assert_type(await tree.count_children(), ChildCounts)
    await tree.terminate_child("counter")
    await tree.delete_child(("any", "key"))
    await tree.start_child(5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await tree.start_child(blocking)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await tree.terminate_child(["counter"])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await tree.terminate_child()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    tree.terminate_child("counter")  # type: ignore[unused-coroutine]  # pyright: ignore[reportUnusedCoroutine]
    print((await tree.count_children()).actve)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]


def a_handle_of_a_tree_is_made_of_an_address(pid: Pid) -> None:
    SupervisorRef(named("shop"))
    SupervisorRef(pid)
    SupervisorRef("shop")
    SupervisorRef(5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def a_line_of_a_tree_is_typed(info: ChildInfo) -> None:
    assert_type(info.pid, Pid | None)
    assert_type(info.status, ChildStatus)
    info.status = "running"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]


class Sales(Supervisor):
    """Computes its children."""

    def __init__(self, clerks: int) -> None:
        super().__init__([Counter.child_spec(n).replace(id=n) for n in range(clerks)])


class WrongSales(Supervisor):
    """With an option that does not exist."""

    def __init__(self) -> None:
        super().__init__([], strategy="one_for_none")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def a_supervisor_is_a_child_too() -> None:
    assert_type(Supervisor.child_spec([Counter, worker], strategy="rest_for_one"), ChildSpec)
    assert_type(Sales.child_spec(3), ChildSpec)
    run([Sales.child_spec(3), Supervisor.child_spec(children=[])])
    Supervisor.child_spec()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Supervisor.child_spec([5])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    Supervisor.child_spec([], strategy="one_for_none")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Supervisor.child_spec([], max_restarts="3")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Sales.child_spec()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Sales.child_spec("3")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Sales.child_spec(3, strategy="one_for_all")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def values_are_typed(error: SupervisorGaveUp) -> None:
    assert_type(error.history, tuple[str, ...])
    Backoff(initial=0.1, maximum=5, factor=2, jitter=0)
    Intensity(3, 5.0)
    Backoff(initial="0.1")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Backoff(0.1).initial = 5.0  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
    Intensity("3", 5.0)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
