"""A process: a Trio task with a mailbox, links, and one exit reason.

The hard choice here is what an exit signal *is*. It is a cancel scope that is cancelled after the
reason was written down. So Python's clean-up runs, as it must, and the first accepted reason wins
whatever the body then does with its cancellation. The cost: a process counts as dead (links,
monitors, names, restarts) only when its task has really ended, and code that shields itself delays
that. OTP can end a process between two instructions; Python cannot, and pretending to would let a
successor run beside its predecessor. What would change our mind: a way in Trio to abandon a task.

``run`` is the outermost frame of every process and holds the only broad ``except`` of the runtime:
nothing a process raises reaches the nursery it lives in, so no crash ever cancels a sibling.
Everything that tells others about a death works on copies and cannot raise.
"""

from __future__ import annotations

from collections.abc import Awaitable, Coroutine
from contextvars import ContextVar
from threading import get_ident
from typing import Any, Final, Literal, TypeAlias

import trio
from trio.lowlevel import Abort, RunVar, Task, current_task, enable_ki_protection

from runtime import _trio, crash_reasons
from runtime.bodies import BodyOf, TrapMode
from runtime.errors import CallExit, MailboxFull, NoNode
from runtime.exits import KILLED, NORMAL, ExitReason, is_abnormal, is_clean
from runtime.inlet import Inlet
from runtime.instruments import (
    CleanupFailed,
    MessageDropped,
    ProcessCrashed,
    ProcessEnded,
    ProcessStarted,
)
from runtime.links import Claim, EdgeOf, Follower, Links, QueuedCall, Watch
from runtime.mailbox import Mailbox, MailboxLimit, is_droppable
from runtime.messages import Down, Envelope, Exit
from runtime.pid import Pid
from runtime.process_table import ProcessTable

Status: TypeAlias = Literal["starting", "running", "suspended", "ended"]

current_process_var: Final[ContextVar[Process]] = ContextVar("runtime_process")
table_var: Final[RunVar[ProcessTable[Process]]] = RunVar("runtime_table")


class Process:
    """The kernel's side of a process. Users hold a ``Pid`` or a ``Ref``, never this."""

    __slots__ = (
        "_links", "_pending", "_watches", "ancestors", "behaviour", "body", "claims", "current",
        "ending", "exiting", "follower", "given_up", "grace", "handled", "ignored", "inlet",
        "killed", "label", "lent", "mailbox", "name", "parent", "parked", "pid", "scope",
        "started_at", "status", "stop_asked_at", "surroundings", "table", "task", "trap",
        "waiting_for",
    )  # fmt: skip

    def __init__(
        self,
        pid: Pid,
        table: ProcessTable[Process],
        body: Body,
        *,
        parent: Pid,
        name: str | None,
        ancestors: tuple[Pid | str, ...],
        limit: MailboxLimit | None,
    ) -> None:
        self.pid, self.table, self.body = pid, table, body
        self.parent, self.name = parent, name
        self.behaviour = pid.label  # what it runs, also if its pid is shown by its name
        self.label: str | None = None
        self.ancestors = ancestors
        self.status: Status = "starting"
        self.trap: TrapMode = body.trap
        self.task: Task | None = None
        self.surroundings: object = None  # where an exit signal puts the scope it cancels
        self.scope: trio.CancelScope | None = None  # cancelled by any exit signal
        self.grace: trio.CancelScope | None = None  # last words, shielded: cancelled by a kill
        self.exiting: ExitReason = None  # the accepted exit signal
        self.killed = self.given_up = False  # by a kill, without last words; by its owner, at once
        self.parked = False  # sleeps in its mailbox
        self.inlet: Inlet | None = None  # while a call may run its handler at once
        self.lent = False  # a call does: to its handler it does not sleep
        self.ignored = False  # init returned Ignore
        self.stop_asked_at: float | None = None  # by its owner: the shutdown budget runs from then
        self.ending = False  # the body has decided to end
        self.mailbox = Mailbox(limit)
        self.follower: Follower | None = None  # its owner is told before others are
        self._links: Links[Process] | None = None
        self._pending: dict[QueuedCall, None] | None = None
        self._watches: dict[Watch, None] | None = None
        self.claims: dict[Claim[Process], None] | None = None
        self.waiting_for: EdgeOf[Process] | None = None
        self.current: object = None  # the message in hand, or the last one
        self.handled = 0
        self.started_at = table.now()

    # -- what an ordinary process has none of -----------------------------------------------

    @property
    def links(self) -> Links[Process]:
        """Its links and monitors."""
        if self._links is None:
            self._links = Links()
        return self._links

    @property
    def pending(self) -> dict[QueuedCall, None]:
        """The calls that wait for it."""
        if self._pending is None:
            self._pending = {}
        return self._pending

    @property
    def watches(self) -> dict[Watch, None]:
        """Who waits for it to be up, or gone."""
        if self._watches is None:
            self._watches = {}
        return self._watches

    # -- messages ---------------------------------------------------------------------------

    @enable_ki_protection
    def post(self, message: object) -> None:
        """Put a user's message into the mailbox; dropped if the process has ended."""
        if get_ident() != self.table.thread:
            self.check_thread()
        mailbox = self.mailbox
        if self.status == "ended":
            return
        if mailbox.limit is not None:
            if not is_droppable(message):
                self.post_system(message)
                return
            if mailbox.full and not self._make_room(message):
                return
        if items := mailbox.items:
            items.append(message)
        else:
            mailbox.put(message)
        if self.parked:
            self.wake()

    def check_thread(self) -> None:
        """Refuse a foreign thread: waking from there would be a race, not an error."""
        if get_ident() != self.table.thread:
            raise NoNode(
                f"{self.pid!r} was reached for from a foreign thread, "
                "use trio.from_thread.run or trio.from_thread.run_sync"
            )

    def post_or_drop(self, message: object) -> None:
        """Like ``post``, for senders that nobody could raise ``MailboxFull`` to: timers."""
        try:
            self.post(message)
        except MailboxFull:
            self._dropped(message)

    @enable_ki_protection
    def post_system(self, message: object) -> None:
        """Put a message of the runtime into the mailbox, whatever its limit."""
        if self.status != "ended":
            self.mailbox.system += 1
            self.mailbox.put(message)
            if self.parked:
                self.wake()

    def _make_room(self, message: object) -> bool:
        """Apply the policy of a full mailbox; whether the message may be put in."""
        limit = self.mailbox.limit
        assert limit is not None
        if limit.policy == "raise":
            raise MailboxFull(self.pid, limit.length)
        if limit.policy == "drop_newest":
            if isinstance(message, Envelope):
                raise MailboxFull(self.pid, limit.length)
            self._dropped(message)
            return False
        victim = self.mailbox.evict_oldest()
        if isinstance(victim, Envelope):
            victim.refuse(MailboxFull(self.pid, limit.length))
        else:
            self._dropped(victim)
        return True

    def _dropped(self, message: object) -> None:
        self.mailbox.dropped += 1
        if (instruments := self.table.instruments).want(MessageDropped):
            described = self.body.describe(message)
            instruments.emit(
                MessageDropped(self.pid, described, self.mailbox.dropped, self.behaviour)
            )

    def park(self) -> Awaitable[object]:
        """Sleep until something happens: a message, an exit signal, a wake-up. To be awaited."""
        self.parked = True
        self.mailbox.rest()
        return _trio.sleep(self)

    def __call__(self, _raise_cancel: object) -> Abort:
        """Trio's question whether its sleep may be cut short; a bound method would take memory."""
        if self.lent:
            self.wake()  # the cancellation waits for the next checkpoint, as for any handler
            return Abort.FAILED
        self.parked, self.inlet = False, None
        return Abort.SUCCEEDED

    def wake(self) -> None:
        """Wake the parked process."""
        assert self.task is not None
        _trio.wake(self.task)
        self.parked, self.inlet = False, None  # last: if that raises it must stay wakeable

    def claim(self, claim: Claim[Process]) -> None:
        """Give ``claim`` back when this process has ended."""
        self.claims = self.claims or {}
        self.claims[claim] = None

    def drop_claim(self, claim: Claim[Process]) -> None:
        """It is not held any more."""
        (self.claims or {}).pop(claim, None)

    # -- exit signals -----------------------------------------------------------------------

    @enable_ki_protection
    def signal(self, sender: Pid | None, reason: ExitReason) -> None:
        """An exit signal arrives, from ``exit``, a link or the supervisor."""
        self.check_thread()
        if self.status == "ended":
            return
        from_parent = sender is self.parent or sender is self.table.owner
        if self.trap == "not parent" and from_parent:
            self.accept_exit(reason)
        elif self.trap != "no":
            self.post_system(Exit(sender, reason))
        elif is_abnormal(reason) or sender is self.pid:
            self.accept_exit(reason)

    @enable_ki_protection
    def kill(self) -> None:
        """The signal nobody can trap: also ends ``terminate`` and other last words."""
        self.check_thread()
        if self.status != "ended" and not self.killed:
            self.killed, self.exiting = True, None
            if self.table.killed is not None:
                self.table.killed[self.pid] = self.table.now()
            self.accept_exit(KILLED)
            if self.grace is not None:
                self.grace.cancel()

    def accept_exit(self, reason: ExitReason) -> None:
        """Write the reason down, if it is the first, then interrupt what the process does.

        A body that has decided to end keeps its own reason; only a kill is heard by then.
        """
        if self.exiting is None and (self.killed or not self.ending):
            self.exiting = reason
            self.interrupt()
            if self.parked:
                self.wake()

    def interrupt(self) -> None:
        """Cancel what the process does, if it does what can be cancelled; see ``life_scope``."""
        if self.surroundings is not None and self.task is not None:
            self.scope = _trio.surround(self.task, self.surroundings)
            self.surroundings = None
        if self.scope is not None:
            self.scope.cancel()

    # -- start and end ----------------------------------------------------------------------

    def launch(self, begins: bool) -> Coroutine[Any, Any, None]:
        """What Trio is to run as a task, in whose context this is called."""
        current_process_var.set(self)
        if begins:
            self.body.begin(self)
        return self.run()

    def dissolve(self) -> None:
        """Trio has refused it a task: whoever wanted it hears of that."""
        self.given_up = True
        self._end(KILLED)

    @enable_ki_protection
    async def run(self) -> None:
        """The whole life. It never raises."""
        self.task = current_task()
        reason: ExitReason = NORMAL
        try:
            if self.exiting is None or self.body.begun:
                reason = await self.body.live(self)
        except trio.Cancelled:
            # Our own scopes absorb theirs: it is the node's, which has broken, or nobody's.
            if not _trio.has_leaked_scopes(self.task) and _trio.is_cancelled_from_outside():
                self._end(KILLED if self.exiting is None else self.exiting)
                raise
            reason = crash_reasons.foreign_cancelled()
        except BaseException as exc:  # noqa: BLE001  the one place: a crash becomes a reason
            reason = self.reason_for(exc)
            if self.exiting is not None:
                self._cleanup_failed(self.exiting, exc)
        if _trio.has_leaked_scopes(self.task):
            await self._close_leaked(reason)
        self._end(reason if self.exiting is None else self.exiting)
        reason = None  # this frame is in the traceback of the reason: break the cycle

    async def _close_leaked(self, reason: ExitReason) -> None:
        assert self.task is not None
        await _trio.close_leaked_scopes(self.task)
        reason = reason if self.exiting is None else self.exiting
        self._cleanup_failed(reason, crash_reasons.scope_left_open())

    def reason_for(self, exc: BaseException) -> ExitReason:
        """The exit reason an exception stands for, unless an exit signal was there first."""
        self.notice_fatal(exc)
        return crash_reasons.reason_of(exc) if self.exiting is None else self.exiting

    def notice_fatal(self, exc: BaseException) -> None:
        """A KeyboardInterrupt or SystemExit ends the node as well."""
        fatal = crash_reasons.fatal_in(exc)
        if fatal is not None:
            self.table.on_fatal(fatal)

    def _cleanup_failed(self, reason: ExitReason, exc: BaseException) -> None:
        failed = crash_reasons.without_cancelled(exc)
        if isinstance(failed, CallExit) and crash_reasons.same_reason(failed.reason, reason):
            return  # the end of a linked server reached it twice: as a signal, and by its call
        if failed is not None:
            self.table.instruments.emit(CleanupFailed(self.pid, reason, failed))

    def mark_started(self) -> None:
        """Init is done: whoever waits for the start may go on."""
        if self.exiting is None:
            self.status = "running"
            if (instruments := self.table.instruments).want(ProcessStarted):
                instruments.emit(ProcessStarted(self.pid, self.name, self.ancestors))
            if self.follower is not None and not self.follower.only_end:
                self.follower.wake(None)
            for watch in tuple(self._watches or ()):
                if not watch.only_end:
                    watch.wake(None)

    @enable_ki_protection
    def _end(self, reason: ExitReason) -> None:
        """Death: first free what it held, then tell everybody. Works on copies; nothing raises.

        Nothing that dies may keep ``reason``: its traceback holds the frames and so the server.
        """
        self.status = "ended"
        self.table.remove(self.pid, self, self.name)
        if self.claims:
            for claim in tuple(self.claims):
                claim.owner_ended(self)
        self._report(reason)
        for call in tuple(self._pending or ()):
            call.server_ended(reason)
        if self._links is not None:
            self._tell_linked(self._links, reason)
        if self.follower is not None:
            self.follower.wake(reason)
        for watch in tuple(self._watches or ()):
            watch.wake(reason)
        self.body.release()
        self._links = self._pending = self._watches = self.claims = self.follower = None
        self.mailbox.clear()
        self.current = self.waiting_for = self.task = self.scope = self.grace = self.inlet = None

    def _tell_linked(self, links: Links[Process], reason: ExitReason) -> None:
        for ref, target in links.watching():
            target.links.unwatched(ref)
        for ref, watcher, name in links.watchers():
            watcher.links.unwatch(ref)
            watcher.post_system(Down(ref, self.pid, reason, name))
        for other in links.linked():
            other.links.unlink(self)
            other.signal(self.pid, reason)

    def _report(self, reason: ExitReason) -> None:
        instruments = self.table.instruments
        by_owner = self.given_up and reason is KILLED  # who asked for it knows
        if not is_clean(reason) and not by_owner:
            last = None if self.current is None else self.body.describe(self.current)
            self.table.crashes.record(
                self.pid, self.body.behaviour, self.name, self.ancestors, reason, last
            )
            if instruments.want(ProcessCrashed):
                state = self.body.describe_state()
                instruments.emit(ProcessCrashed(
                    self.pid, self.name, self.ancestors, reason, last, len(self.mailbox),
                    self.handled, state, self.behaviour,
                ))  # fmt: skip
        if instruments.want(ProcessEnded):
            instruments.emit(ProcessEnded(self.pid, self.name, reason))


Body: TypeAlias = BodyOf[Process]
