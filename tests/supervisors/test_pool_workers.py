"""What the workers of a pool may be started from."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import trio

from runtime import ChildSpec, GenServer, child_spec
from supervisors.pool import Pool
from supervisors.pool_workers import PoolChild, is_usable, worker_spec


class Plain(GenServer):
    """Needs nothing."""


class Path(GenServer):
    """Needs a path."""

    def __init__(self, path: str) -> None:
        self.path = path


async def run(seconds: float = 1.0) -> None:
    await trio.sleep(seconds)


@pytest.mark.parametrize("worker", [Plain, Plain.child_spec(), run, child_spec(run)])
def test_a_spec_a_class_and_an_async_function_are_workers(worker: Any) -> None:
    assert isinstance(worker_spec(worker), ChildSpec)


def test_so_is_a_partial() -> None:
    assert worker_spec(partial(run, 2.0)).behaviour == "run"


@pytest.mark.parametrize(
    ("worker", "kind", "text"),
    [
        (None, TypeError, r"worker: got None, allowed are a ChildSpec such as"),
        ("Plain", TypeError, "worker: got 'Plain'"),
        (Plain(), TypeError, "worker: got <.*Plain"),
        (int, TypeError, "worker: got <class 'int'>"),
        (Path, TypeError, "arguments of Path: missing a required argument: 'path'"),
        (len, TypeError, "allowed is an async function"),
        (Plain.child_spec().replace(name="db"), ValueError, "name of worker: got 'db', allowed"),
        (
            Plain.child_spec().replace(restart="transient"),
            ValueError,
            "restart of worker: got 'transient', allowed is 'permanent': a pool keeps its size",
        ),
        (Plain.child_spec().replace(enabled=False), ValueError, "enabled of worker: got False"),
        (Plain.child_spec().replace(enabled=lambda: True), ValueError, "enabled of worker: got"),
    ],
)
def test_what_cannot_hold_for_several_workers_is_refused_when_the_spec_is_made(
    worker: Any, kind: type[Exception], text: str
) -> None:
    with pytest.raises(kind, match=text):
        Pool.child_spec(worker)


def test_a_worker_without_a_process_is_of_no_use() -> None:
    assert not is_usable(PoolChild(Plain.child_spec()))
