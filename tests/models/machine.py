"""Stateful tests of a living node: Hypothesis chooses the steps, a Trio thread makes them.

Hypothesis is not asynchronous and Trio is, so each example has a ``trio.run`` in a thread of its
own. The two never run at the same time: a step is handed over, and the machine waits until nothing
more happens. Time stands still but for ``advance``, so the model knows what the time is. Trio lets
Hypothesis seed its scheduler, so a failing example also replays its order of tasks.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Awaitable, Callable
from queue import SimpleQueue
from typing import TypeVar

import trio
from hypothesis import Phase, settings
from hypothesis.stateful import RuleBasedStateMachine
from trio.testing import MockClock, wait_all_tasks_blocked

from runtime import open_node
from tests.conftest import Recorder

T = TypeVar("T")


def examples(default: int, steps: int = 30) -> settings:
    """How many examples a machine gets, and of how many steps.

    By default always the same ones, and one that fails is shown as it is. ``MODEL_EXAMPLES`` sets
    how many random ones it gets instead; one that fails is then made smaller, which takes minutes.
    """
    wanted = os.environ.get("MODEL_EXAMPLES")
    common = settings(stateful_step_count=steps, deadline=None)
    if wanted is not None:
        return settings(common, max_examples=int(wanted))
    always = (Phase.explicit, Phase.generate)
    return settings(common, max_examples=default, derandomize=True, database=None, phases=always)


class NodeMachine(RuleBasedStateMachine):
    """A machine whose steps run in an open node, in virtual time.

    A rule gives ``self.run`` an async function. When that returns, everything has happened that
    follows from it without time passing. A step that waits for time hangs: start such a thing in a
    process or in ``self.background``, and let ``advance`` pass the time.
    """

    def __init__(self) -> None:
        super().__init__()
        self.events = Recorder()
        self._clock = MockClock()
        self._opened: SimpleQueue[trio.lowlevel.TrioToken] = SimpleQueue()
        self._thread = threading.Thread(target=self._live, name="node of a machine")
        self._thread.start()
        self._token = self._opened.get()

    def run(self, step: Callable[[], Awaitable[T]]) -> T:
        """Make a step in the node, and return what it returns or raise what it raises."""

        async def settled() -> T:
            result = await step()
            await wait_all_tasks_blocked()
            return result

        return trio.from_thread.run(settled, trio_token=self._token)

    def background(self, fn: Callable[[], Awaitable[object]]) -> None:
        """Start a plain Trio task, in no process; it is cancelled when the example is over."""

        async def start() -> None:
            self._tasks.start_soon(fn)

        self.run(start)

    def advance(self, seconds: float) -> None:
        """Let time pass: from deadline to deadline, each at its very moment."""

        async def pass_time() -> None:
            end = trio.current_time() + seconds
            while (left := end - trio.current_time()) > 0:
                due = trio.lowlevel.current_statistics().seconds_to_next_deadline
                self._clock.jump(max(0.0, min(left, due)))
                await wait_all_tasks_blocked()

        self.run(pass_time)

    @property
    def now(self) -> float:
        """The time in the node."""
        return self._clock.current_time()

    async def end(self) -> None:
        """The last step of every example, in the open node; for subclasses."""

    def teardown(self) -> None:
        """Close the node, whatever the example did, and see that nothing is left."""
        try:
            self.run(self.end)
        finally:
            self._token.run_sync_soon(self._over.set)
            self._thread.join()

    # -- in the thread ------------------------------------------------------------------------

    def _live(self) -> None:
        trio.run(self._main, clock=self._clock)

    async def _main(self) -> None:
        self._over = trio.Event()
        async with open_node(instruments=[self.events.instrument]):
            async with trio.open_nursery() as self._tasks:
                self._opened.put(trio.lowlevel.current_trio_token())
                try:
                    await self._over.wait()
                finally:  # also when a background task has failed
                    self._clock.autojump_threshold = 0  # what shields itself ends in its own time
                    self._tasks.cancel_scope.cancel()
