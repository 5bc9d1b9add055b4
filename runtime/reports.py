"""Crash and supervisor reports, written with structlog. One instrument among others.

Nothing is said of ``Normal`` and ``Shutdown``, unless a supervisor gives up over them. A traceback
is logged as the text ``exception``: see ``tracebacks``.
"""

from __future__ import annotations

import sys
from typing import Any

import structlog

from runtime.containment import contain, short_repr, show
from runtime.exits import Crashed, ExitReason, is_clean
from runtime.instruments import (
    GIVE_UP,
    BudgetExceeded,
    ChildEnded,
    ChildStartFailed,
    CleanupFailed,
    Event,
    EventsDiscarded,
    EventsInExcess,
    Instrument,
    LoopStalled,
    MailboxLong,
    MessageDropped,
    MessageOld,
    MessageUnexpected,
    ProcessCrashed,
    RestartsHigh,
    StillAlive,
)
from runtime.telemetry.pipeline_events import (
    AcknowledgerFailed,
    CallbackFailed,
    MessagesGivenBack,
    PipelineDrained,
)
from runtime.tracebacks import format_crash


def _why(reason: ExitReason) -> dict[str, Any]:
    """The reason, and for a crash the traceback as well."""
    if isinstance(reason, Crashed):
        exc = reason.exception
        return {"reason": short_repr(exc), "exception": contain("", format_crash, exc)}
    return {"reason": short_repr(reason)}


def _write(event: Event) -> None:
    log = structlog.get_logger("trio_otp")
    match event:
        case ProcessCrashed():
            log.error(
                "process crashed"
                if isinstance(event.reason, Crashed)
                else "process ended abnormally",
                pid=repr(event.pid),
                name=event.name,
                ancestors=[str(one) for one in event.ancestors],
                last_message=event.last_message,
                mailbox_length=event.mailbox_length,
                handled=event.handled,
                **({"state": event.state} if event.state else {}),
                **_why(event.reason),
            )
        case CleanupFailed():
            log.error(
                "clean-up failed while the process was ending",
                pid=repr(event.pid),
                was=short_repr(event.reason),
                **_why(Crashed(event.exception)),
            )
        case MessageDropped():
            if _worth_a_line(event.total):
                log.warning(
                    "mailbox full, message dropped",
                    pid=repr(event.pid),
                    message=event.message,
                    dropped=event.total,
                )
        case MessageUnexpected():
            log.warning("unexpected message ignored", pid=repr(event.pid), message=event.message)
        case BudgetExceeded():
            log.warning(
                "process did not stop within its shutdown budget, killing it",
                pid=repr(event.pid),
                seconds=event.seconds,
            )
        case StillAlive():
            log.warning("killed process is still alive", pid=repr(event.pid), seconds=event.seconds)
        case LoopStalled():
            log.error(
                "loop stalled",
                seconds=round(event.seconds, 3),
                pid=None if event.pid is None else repr(event.pid),
                name=event.name,
                handler=event.handler,
                line=event.line,
                stack=event.stack,
            )
        case MailboxLong():
            log.warning(
                "mailbox long",
                pid=repr(event.pid),
                name=event.name,
                length=event.length,
                watermark=event.watermark,
            )
        case MessageOld():
            log.warning(
                "message old",
                pid=repr(event.pid),
                name=event.name,
                seconds=round(event.seconds, 3),
                length=event.length,
            )
        case AcknowledgerFailed():
            log.error(
                "an acknowledger raised",
                pid=repr(event.pid),
                acknowledger=event.acknowledger,
                reference=event.reference,
                messages=event.messages,
                **_why(event.reason),
            )
        case EventsDiscarded():
            log.warning(
                "buffer full, events discarded",
                pid=repr(event.pid),
                name=event.name,
                discarded=event.count,
            )
        case EventsInExcess():
            log.warning(
                "more events than were asked for",
                pid=repr(event.pid),
                name=event.name,
                producer=repr(event.producer),
                excess=event.count,
            )
        case RestartsHigh():
            log.warning(
                "supervisor is past half of its restarts",
                supervisor=repr(event.supervisor),
                name=event.name,
                restarts=event.restarts,
                max_restarts=event.max_restarts,
                max_seconds=event.max_seconds,
            )
        case ChildEnded() if not is_clean(event.reason) or event.action == GIVE_UP:
            log.warning(
                "supervised child ended",
                supervisor=repr(event.supervisor),
                child=show(event.child_id),
                pid=repr(event.pid),
                reason=short_repr(event.reason),
                restarts=event.restarts,
                max_restarts=event.max_restarts,
                action=event.action,
            )
        case ChildStartFailed():
            log.error(
                "supervised child did not start",
                supervisor=repr(event.supervisor),
                child=show(event.child_id),
                action=event.action,
                **_why(event.reason),
            )
        case CallbackFailed():
            log.error(
                "callback of a pipeline failed",
                stage=event.stage,
                pid=repr(event.pid),
                callback=event.callback,
                messages=event.messages,
                **_why(event.reason),
            )
        case MessagesGivenBack():
            log.warning("messages given back", stage=event.stage, messages=event.messages)
        case PipelineDrained() if event.left:
            log.warning(
                "pipeline not drained in time",
                pipeline=event.pipeline,
                pid=repr(event.pid),
                seconds=round(event.seconds, 3),
                left=event.left,
            )
        case _:
            pass  # a start or an ordinary end is no news


def _worth_a_line(total: int) -> bool:
    """The 1st, 10th, 100th ... drop: a flood of messages must not become a flood of lines."""
    return str(total).rstrip("0") == "1"


log_reports = Instrument(_write, (
    ProcessCrashed, CleanupFailed, MessageDropped, MessageUnexpected, BudgetExceeded, StillAlive,
    ChildEnded, ChildStartFailed, LoopStalled, MailboxLong, MessageOld, RestartsHigh,
    CallbackFailed, MessagesGivenBack, PipelineDrained,
    AcknowledgerFailed,
))  # fmt: skip
"""The instrument that a node has unless it is given others."""


def configure_logging() -> None:
    """Set structlog up for a service, unless the program has: readable on a terminal, else JSON.

    Lines go to standard error, so that standard output stays the program's own.
    """
    if structlog.is_configured():
        return
    if sys.stderr is None:  # a service that was started without one
        structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
        return
    terminal = sys.stderr.isatty()
    last: list[Any] = (
        [structlog.dev.ConsoleRenderer()]
        if terminal
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *last,
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
