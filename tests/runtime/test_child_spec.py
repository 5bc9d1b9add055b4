"""A child spec is a plain value that is checked when it is made."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable
from functools import partial
from typing import Any, ClassVar

import pytest
import trio

from runtime import (
    Call,
    ChildSpec,
    GenServer,
    MailboxLimit,
    Node,
    child_spec,
    handles,
    start,
    wait_exit,
)


class Get(Call[int]):
    """The count."""


class Counter(GenServer):
    mailbox: ClassVar[MailboxLimit | None] = MailboxLimit(50)

    def __init__(self, start: int = 0, *, step: int = 1) -> None:
        self.count = start * step

    @handles(Get)
    def get(self, request: Get) -> int:
        self.count += 1
        return self.count


async def work(number: int, *, text: str = "") -> None:
    """A plain async function."""


async def service(
    number: int, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> None:
    """One that says when it is up."""


class AsyncCallable:
    async def __call__(self, number: int) -> None:
        """An object that can be a child."""


def test_the_spec_of_a_server_has_otps_defaults() -> None:
    """GEN-092."""
    spec = Counter.child_spec(10)
    assert (spec.id, spec.behaviour, spec.name) == ("Counter", "Counter", None)
    assert (spec.restart, spec.shutdown, spec.type) == ("permanent", 5.0, "worker")
    assert (spec.significant, spec.enabled, spec.mailbox) == (False, True, MailboxLimit(50))


def test_the_spec_of_a_function_has_the_same_defaults() -> None:
    spec = child_spec(work, 1)
    assert (spec.id, spec.behaviour, spec.name) == ("work", "work", None)
    assert (spec.restart, spec.shutdown, spec.type) == ("permanent", 5.0, "worker")
    assert spec.mailbox is None


def test_only_what_is_replaced_changes() -> None:
    """GEN-092."""
    spec = Counter.child_spec(10)
    other = spec.replace(id="c", restart="transient", shutdown=1, significant=True)
    assert (other.id, other.restart, other.shutdown, other.significant) == (
        "c",
        "transient",
        1,
        True,
    )
    assert (other.behaviour, other.type, other.mailbox) == ("Counter", "worker", spec.mailbox)
    assert (spec.id, spec.restart) == ("Counter", "permanent"), "the first is as it was"
    assert other.replace() == other
    with pytest.raises(AttributeError):
        spec.name = "x"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize(
    ("given", "name", "expected"),
    [
        (None, None, "Counter"),
        (None, "main", "main"),
        ("mine", "main", "mine"),
        (("shard", 3), None, ("shard", 3)),
        (0, "main", 0),
        (False, None, False),
    ],
)
def test_the_id_is_what_was_given_else_the_name_else_the_class(
    given: Hashable, name: str | None, expected: Hashable
) -> None:
    spec = Counter.child_spec().replace(name=name)
    assert (spec if given is None else spec.replace(id=given)).id == expected


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        (
            {"restart": "always"},
            ValueError,
            "restart: got 'always', allowed are 'permanent', 'transient', 'temporary'",
        ),
        ({"restart": None}, ValueError, "restart: got None, allowed are"),
        ({"type": "gen_server"}, ValueError, "type: got 'gen_server', allowed are 'worker', 'sup"),
        (
            {"shutdown": "kill"},
            ValueError,
            "shutdown: got 'kill', allowed are seconds, math.inf and 'brutal_kill'",
        ),
        ({"shutdown": -1}, ValueError, "shutdown: got -1, allowed is 0 or more seconds"),
        ({"shutdown": None}, TypeError, "shutdown: got None, allowed is a number of seconds"),
        ({"shutdown": True}, TypeError, "shutdown: got True, allowed is a number of seconds"),
        ({"shutdown": math.nan}, ValueError, "shutdown: got nan"),
        ({"name": ""}, TypeError, "name: got '', allowed is a non-empty string"),
        ({"name": 5}, TypeError, "name: got 5, allowed is a non-empty string"),
        ({"significant": 1}, TypeError, "significant: got 1, allowed are True and False"),
        ({"significant": True}, ValueError, "significant: a permanent child is always restarted"),
        ({"enabled": None}, TypeError, "enabled: got None, allowed are a bool and a function"),
        ({"enabled": "yes"}, TypeError, "enabled: got 'yes'"),
        ({"mailbox": 50}, TypeError, "mailbox: got 50, allowed are MailboxLimit and None"),
        ({"id": []}, TypeError, "id: got []"),
        ({"id": {}}, TypeError, "id: got {}"),
        ({"max_restarts": 3}, TypeError, "replace: got 'max_restarts', allowed are enabled, id,"),
        ({"given_id": 3}, TypeError, "replace: got 'given_id', allowed are"),
        ({"behaviour": "x"}, TypeError, "replace: got 'behaviour', allowed are"),
    ],
)
def test_a_wrong_option_is_refused_by_its_name(
    options: dict[str, Any], error: type[Exception], text: str
) -> None:
    """DESIGN 3.9."""
    for spec in (Counter.child_spec(), child_spec(work, 1)):
        with pytest.raises(error) as caught:
            spec.replace(**options)
        assert str(caught.value).startswith(text)


@pytest.mark.parametrize("shutdown", [0, 0.5, 30, math.inf, "brutal_kill"])
def test_a_shutdown_budget(shutdown: Any) -> None:
    assert Counter.child_spec().replace(shutdown=shutdown).shutdown == shutdown


@pytest.mark.parametrize("restart", ["transient", "temporary"])
def test_a_significant_child_is_one_that_can_end(restart: Any) -> None:
    assert Counter.child_spec().replace(restart=restart, significant=True).significant


@pytest.mark.parametrize(
    ("make", "args", "kwargs", "text"),
    [
        (Counter.child_spec, (1, 2), {}, "arguments of Counter: too many positional arguments"),
        (Counter.child_spec, (), {"begin": 1}, "arguments of Counter: got an unexpected keyword"),
        (child_spec, (work,), {}, "arguments of work: missing a required argument: 'number'"),
        (child_spec, (work, 1, 2), {}, "arguments of work: too many positional arguments"),
        (child_spec, (work, 1), {"txt": ""}, "arguments of work: got an unexpected keyword"),
        (child_spec, (service,), {}, "arguments of service: missing a required argument"),
    ],
)
def test_arguments_are_checked_when_the_spec_is_made(
    make: Any, args: tuple[Any, ...], kwargs: dict[str, Any], text: str
) -> None:
    """Not at the first restart."""
    with pytest.raises(TypeError) as caught:
        make(*args, **kwargs)
    assert str(caught.value).startswith(text)


@pytest.mark.parametrize("junk", [None, 5, "work", len, Counter, lambda: None])
def test_only_an_async_function_can_be_a_child(junk: Any) -> None:
    with pytest.raises(TypeError, match=r"fn: got .*, allowed is an async function, not called"):
        child_spec(junk)


def test_a_function_that_was_called_is_no_child() -> None:
    coroutine: Any = work(1)
    with pytest.raises(TypeError, match=r"fn: got .*, allowed is an async function, not called"):
        child_spec(coroutine)
    coroutine.close()


@pytest.mark.parametrize(
    ("fn", "behaviour"),
    [(partial(work, 1), "work"), (partial(partial(work, 1)), "work")],
)
def test_a_partial_is_called_what_it_is_of(fn: Callable[[], Any], behaviour: str) -> None:
    assert child_spec(fn).id == behaviour


def test_an_object_with_an_async_call_is_called_by_its_class() -> None:
    assert child_spec(AsyncCallable(), 1).id == "AsyncCallable"


def test_whether_a_child_is_enabled_is_asked_when_it_matters() -> None:
    answers = iter([False, True])
    spec = Counter.child_spec().replace(enabled=lambda: next(answers))
    assert [spec.is_enabled(), spec.is_enabled()] == [False, True]
    assert Counter.child_spec().is_enabled()
    assert not Counter.child_spec().replace(enabled=False).is_enabled()


@pytest.mark.parametrize("answer", [None, 1, "yes"])
def test_a_condition_that_answers_neither_true_nor_false_is_refused(answer: Any) -> None:
    spec = Counter.child_spec().replace(name="main", enabled=lambda: answer)
    with pytest.raises(TypeError, match=r"enabled of child 'main': returned .*, allowed are True"):
        spec.is_enabled()


async def test_each_start_of_a_spec_makes_a_fresh_instance(node: Node) -> None:
    spec = Counter.child_spec(10, step=2)
    one, two = await start(spec), await start(spec)
    assert [await one.call(Get()), await one.call(Get()), await two.call(Get())] == [21, 22, 21]


async def test_a_spec_of_a_function_runs_it_with_its_arguments(node: Node) -> None:
    got: list[object] = []

    async def record(*args: object, **kwargs: object) -> None:
        got.append((args, kwargs))

    spec = child_spec(record, 1, 2, text="x")
    for _ in range(2):
        await wait_exit(await start(spec))
    assert got == [((1, 2), {"text": "x"})] * 2


def test_specs_are_compared_by_value() -> None:
    spec = Counter.child_spec(1)
    assert spec == spec.replace()
    assert spec != spec.replace(id="x")
    assert isinstance(spec, ChildSpec)


def test_a_subclass_has_a_spec_of_its_own() -> None:
    class Slow(Counter):
        mailbox = None

    spec = Slow.child_spec(1)
    assert (spec.id, spec.mailbox) == ("Slow", None)


def test_its_repr_keeps_the_arguments_to_itself() -> None:
    spec = Counter.child_spec(4711).replace(name="hits")
    assert repr(spec) == "<ChildSpec hits: Counter, permanent>"


def test_an_option_given_as_an_argument_is_told_its_place() -> None:
    wrong: Any = Counter.child_spec
    with pytest.raises(TypeError) as caught:
        wrong(1, name="hits")
    assert caught.value.__notes__ == ["name: options of a child are set with .replace(...)"]


def test_a_spec_can_be_a_key_whatever_its_arguments_are() -> None:
    spec = Counter.child_spec(1)
    unhashable = spec.with_arguments([])
    assert {spec: 1, unhashable: 2}[unhashable.replace()] == 2
