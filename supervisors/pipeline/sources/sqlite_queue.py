"""``SqliteQueue``: a durable queue as the source of a pipeline."""

from __future__ import annotations

import math
import random
import sqlite3
import time
import traceback
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar, cast

import msgspec
import trio

import supervisors.pipeline.sources.queue_statements as statements
from runtime.containment import attempt, clean, contain, short_repr
from runtime.exits import Crashed, ExitReason
from runtime.inspection.views import Plain
from runtime.outcomes import check_seconds
from supervisors.backoff import Backoff
from supervisors.permits import check_count
from supervisors.pipeline.message import Acknowledger, AnyMessage, Message
from supervisors.pipeline.sources.fetching import FetchingSource
from supervisors.pipeline.sources.queue_values import Failure, Lease, Leased
from supervisors.pipeline.sources.sqlite_queue_ref import SqliteQueueRef
from supervisors.pipeline.sources.wakeups import wake, woken_by

T = TypeVar("T")

_FIRST_PAUSE: Final = 0.05
_LONGEST: Final = 2000
_RETRY: Final = Backoff(initial=1.0, maximum=60.0)


class Rejected(Exception):
    """Raised by a handler, or given to ``fail``: trying again is of no use, now or ever.

    The message becomes a dead letter at once.
    """


class Receipt(msgspec.Struct, frozen=True):
    """What answering for a message needs: its lease, and in how many seconds it is tried again.

    ``retry_delay`` is ``None`` if it never is.
    """

    lease: Lease
    retry_delay: float | None


class SqliteQueue(FetchingSource[T]):
    """The messages of a queue: each is delivered at least once, or becomes a dead letter.

    What it delivers it has leased for ``lease`` seconds, and extends the leases of what is still
    under way until it is asked to drain; from then on they last for ``lease`` seconds more. So a
    message comes again if the program dies, ``lease`` seconds later at most, and while it lives
    none does, however long its handler takes. A message that succeeds is gone; one that fails is
    tried again, after a delay that grows as ``retry`` says, and is a dead letter after
    ``max_attempts`` attempts, with its reason. ``Rejected``, or ``message.configure_ack(
    retry_delay=None)`` and a failure, make it one at once; ``retry_delay=5.0`` is a delay of its
    own. A message that the pipeline gives back comes again at once, and that was no attempt.

    It leases no more than was asked for. Puts of the same program are heard of at once, those of
    others when it looks: after a moment, and less and less often, every ``poll`` seconds at last.

    The metadata of a message: ``id``, ``key``, ``attempt``, ``put_at``, ``last_failure``. What the
    queue cannot decode is a dead letter. Times are real ones, also in tests with virtual time.
    """

    def __init__(
        self,
        queue: SqliteQueueRef[T],
        *,
        lease: float = 60.0,
        max_attempts: int = 5,
        retry: Backoff = _RETRY,
        poll: float = 1.0,
    ) -> None:
        super().__init__()
        if not isinstance(queue, SqliteQueueRef):
            raise TypeError(f"queue: got {short_repr(queue)}, allowed is a SqliteQueueRef")
        check_seconds("lease", lease, minimum=1e-3)
        if math.isinf(lease):
            raise ValueError("lease: got inf, allowed is a finite number of seconds")
        check_count("max_attempts", max_attempts, 1)
        if not isinstance(retry, Backoff):
            raise TypeError(f"retry: got {short_repr(retry)}, allowed is a Backoff(...)")
        check_seconds("poll", poll, minimum=1e-3)
        self._queue = queue
        self._lease = lease
        self._max_attempts = max_attempts
        self._retry = retry
        self._poll = poll
        self._pause = self._first_pause = min(_FIRST_PAUSE, poll)
        self._taken: list[Leased] = []
        self._answers = _Answers(queue, max_attempts)

    async def init(self) -> None:
        """Begin to look, and to keep what is under way."""
        await self.enter(woken_by(self._queue.path, self.look))
        await super().init()
        nursery = await self.enter(trio.open_nursery())
        nursery.start_soon(self._keep)

    # -- fetching ---------------------------------------------------------------------------

    async def fetch(self, count: int) -> list[Message[T]]:
        """Lease them. ``_taken`` is what nobody but this source knows of yet."""
        if not await self._queue.commits.read(lambda db: statements.is_due(db, time.time())):
            return []
        self._pause = self._first_pause

        def take(db: sqlite3.Connection) -> list[Leased]:
            now = time.time()
            self._taken = statements.lease(db, count, now, now + self._lease, self._max_attempts)
            return self._taken

        messages: list[Message[T]] = []
        unreadable: list[Failure] = []
        for leased in await self._queue.commits.write(take):
            data, error = attempt(self._queue.decode, leased.data)
            if error is None:
                messages.append(self._message(cast("T", data), leased))
            else:
                unreadable.append(Failure(leased.lease, _text_of(error), None))
        if unreadable:
            await self._queue.commits.write(
                lambda db: statements.fail(db, unreadable, time.time(), self._max_attempts)
            )
        self._answers.under_way.update(_receipt(message).lease for message in messages)
        self._taken = []
        return messages

    def _message(self, data: T, leased: Leased) -> Message[T]:
        delay = self._retry.delay(leased.attempt, random.random())
        return Message(
            data,
            self._answers,
            receipt=Receipt(leased.lease, delay),
            metadata={
                "id": leased.lease.message,
                "key": leased.key,
                "attempt": leased.attempt,
                "put_at": leased.put_at,
                "last_failure": leased.last_failure,
            },
        )

    async def pause(self) -> None:
        """Until something is put in this program, or it is time to look for what others did."""
        due_at = await self._queue.commits.read(statements.next_due)
        away = math.inf if due_at is None else max(0.0, due_at - time.time())
        await self.news(min(self._pause, away))
        self._pause = min(self._pause * 2, self._poll)

    async def undo(self, messages: list[Message[T]]) -> None:
        """Give them back."""
        await self._answers.give_back(None, messages)

    async def terminate(self, reason: ExitReason) -> None:
        """What was leased when it was interrupted can be taken by others at once."""
        taken = [leased.lease for leased in self._taken]
        if taken:
            await self._queue.commits.write(lambda db: statements.give_back(db, taken, time.time()))
            wake(self._queue.path)

    # -- keeping ----------------------------------------------------------------------------

    async def prepare_for_draining(self) -> None:
        """The last time that leases are extended: the source is about to end."""
        await super().prepare_for_draining()
        await self._extend()

    async def _keep(self) -> None:
        while True:
            await trio.sleep(self._lease / 3)
            await self._extend()

    async def _extend(self) -> None:
        under_way = self._answers.under_way
        leases = list(under_way)
        if leases:
            held = await self._queue.commits.write(
                lambda db: statements.extend(db, leases, time.time() + self._lease)
            )
            under_way.difference_update(set(leases).difference(held))

    def facts(self) -> Mapping[str, Plain]:
        """With how many messages are under way."""
        return {**super().facts(), "under way": len(self._answers.under_way)}


class _Answers(Acknowledger):
    """Answers for messages; works also when the source has ended, which a drain does first."""

    def __init__(self, queue: SqliteQueueRef[Any], max_attempts: int) -> None:
        self._queue = queue
        self._max_attempts = max_attempts
        self.under_way: set[Lease] = set()

    def __repr__(self) -> str:
        return f"<answers of {self._queue!r}>"

    async def ack(
        self,
        reference: object,
        successful: Sequence[AnyMessage],
        failed: Sequence[AnyMessage],
    ) -> None:
        """Those are gone, these come again or become dead letters: one commit."""
        done = [_receipt(message).lease for message in successful]
        failures = [_failure(message) for message in failed]

        def answer(db: sqlite3.Connection) -> None:
            now = time.time()
            statements.acknowledge(db, done, now, self._queue.remember_keys)
            statements.fail(db, failures, now, self._max_attempts)

        try:
            await self._queue.commits.write(answer)
        finally:
            self.under_way.difference_update(done, [one.lease for one in failures])
        if failures:
            wake(self._queue.path)

    async def give_back(self, reference: object, messages: Sequence[AnyMessage]) -> None:
        """They can be taken again at once."""
        leases = [_receipt(message).lease for message in messages]
        try:
            await self._queue.commits.write(
                lambda db: statements.give_back(db, leases, time.time())
            )
        finally:
            self.under_way.difference_update(leases)
        wake(self._queue.path)

    def configure(
        self, reference: object, receipt: object, options: Mapping[str, object]
    ) -> Receipt:
        """``retry_delay``: in how many seconds it is tried again if it fails; ``None``: never."""
        assert isinstance(receipt, Receipt)
        if options.keys() != {"retry_delay"}:
            raise TypeError(f"configure_ack: got {sorted(options)}, allowed is retry_delay=")
        delay = options["retry_delay"]
        if delay is not None:
            delay = check_seconds("retry_delay", delay)
        return Receipt(receipt.lease, delay)


def _receipt(message: AnyMessage) -> Receipt:
    assert isinstance(message.receipt, Receipt)
    return message.receipt


def _failure(message: AnyMessage) -> Failure:
    receipt, why = _receipt(message), message.failure
    if isinstance(why, Crashed):
        why = why.exception
    delay = None if isinstance(why, Rejected) else receipt.retry_delay
    return Failure(receipt.lease, _text_of(why), delay)


def _text_of(why: object) -> str:
    """For people, whatever it is: its text may be users' code too."""
    text = contain(None, _say, why)
    return short_repr(why) if text is None else clean(text)


def _say(why: object) -> str:
    if isinstance(why, BaseException):
        return "".join(traceback.format_exception_only(why)).strip()[:_LONGEST]
    return why[:_LONGEST] if isinstance(why, str) else short_repr(why)
