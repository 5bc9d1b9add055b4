"""A session: the process in which a client's evaluations run, one after the other.

A process of its own, so that at the prompt ``self_()`` is somebody, ``receive`` has a mailbox, and
links, monitors and tasks have an owner. If it ends (a link to something that crashed, a scope that
an evaluation left open) the next evaluation gets a new one with the same names.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial

import trio
from trio.lowlevel import enable_ki_protection

from runtime import _trio
from runtime.console.connections import Connection
from runtime.console.evaluation import Evaluation, Names
from runtime.console.familiar import learn
from runtime.console.frames import Evaluate, Failed, ToClient
from runtime.console.outputs import Outputs
from runtime.console.questions import Asker
from runtime.containment import short_repr
from runtime.exits import ExitReason
from runtime.pid import Pid
from runtime.process import Process


class Session:
    """One client's side in the loop. ``start`` makes its process run ``session``."""

    only_end = True  # as a watch on its process

    def __init__(
        self,
        connection: Connection,
        names: Names,
        outputs: Outputs,
        start: Callable[[Session], Process],
        asker: Asker,
    ) -> None:
        self.connection = connection
        self.names = names
        self.asker = asker
        self.current: Evaluation | None = None
        self.process: Process | None = None
        self._waiting: deque[Evaluation] = deque()
        self._outputs = outputs
        self._pids: list[Pid] = []
        self._start = start
        self._work = trio.Event()

    def evaluate(self, frame: Evaluate) -> None:
        """Run this after those that wait."""
        put = partial(self.connection.outbox.put_output, frame.id)
        self._waiting.append(Evaluation(frame.id, frame.source, put))
        if self.process is None:
            self.process = self._start(self)
            self.process.watches[self] = None
            self._pids.append(self.process.pid)
            self._outputs.sinks[self.process.pid] = self._print
        self._work.set()

    def interrupt(self, number: int) -> None:
        """ctrl-C: end the evaluation of this number, or never begin it."""
        current = self.current
        if current is not None and current.number == number:
            current.cancel()
        for one in tuple(self._waiting):
            if one.number == number:
                self._waiting.remove(one)
                self.answer(Failed(number, "KeyboardInterrupt", "KeyboardInterrupt"))

    def end(self) -> Process | None:
        """What waits is never begun; the process, which is to be stopped."""
        while self._waiting:
            evaluation = self._waiting.popleft()
            self.answer(Failed(evaluation.number, "Shutdown", "the console is closed"))
        return self.process

    def forget(self) -> None:
        """The client has left, or the console ends: keep nothing of it."""
        for pid in self._pids:
            del self._outputs.sinks[pid]
        self._pids.clear()
        self.asker.look_away()
        self.names.forget()

    @enable_ki_protection
    async def session(self) -> None:
        """What its process does, and is called."""
        process = self.process
        assert process is not None
        assert process.task is not None
        while True:
            await self._work.wait()
            while self._waiting:
                self.current = evaluation = self._waiting.popleft()
                if self._is_unwanted(evaluation):
                    self.current = None
                    continue
                self._outputs.ensure()
                learn(evaluation.source, self.names.names)
                answer = await evaluation.run(self.names)
                self.current = None
                self.answer(answer)
                if _trio.has_leaked_scopes(process.task):
                    return  # Trio cannot close for us what was left open, the end of a process can
            self._work = trio.Event()

    def _is_unwanted(self, evaluation: Evaluation) -> bool:
        """Asked once it is the current one: who interrupts says so first, and then looks for it."""
        if self.connection.interrupted == evaluation.number:
            self.answer(Failed(evaluation.number, "KeyboardInterrupt", "KeyboardInterrupt"))
            return True
        return self.connection.closed

    def wake(self, reason: ExitReason) -> None:
        """Its process has ended."""
        current, self.current, self.process = self.current, None, None
        if current is not None:
            text = f"the process of this session has ended: {short_repr(reason)}"
            self.answer(Failed(current.number, type(reason).__name__, text))
        if self._waiting:
            self._waiting, waiting = deque(), self._waiting
            for one in waiting:
                text = "the process of this session has ended before this could begin"
                self.answer(Failed(one.number, type(reason).__name__, text))

    def _print(self, text: str) -> None:
        """Of processes that it has started; they may outlive the evaluation."""
        number = 0 if self.current is None else self.current.number
        self.connection.outbox.put_output(number, text)

    def answer(self, frame: ToClient) -> None:
        """The answer to a question of the client."""
        self.connection.outbox.put(frame)
