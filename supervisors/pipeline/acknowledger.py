"""Telling sources of the end of their messages, in groups. Elixir: ``Broadway.Acknowledger``.

One call for each acknowledger and reference, so that a source can write many ends at once.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Iterable
from typing import TypeAlias

import msgspec

from runtime.containment import attempt, short_repr
from runtime.current import require_process
from runtime.task_outcomes import Ok
from runtime.telemetry.pipeline_events import AcknowledgerFailed
from supervisors.pipeline.guarded import guarded
from supervisors.pipeline.message import UNACKNOWLEDGED, Acknowledger, AnyMessage

Told: TypeAlias = Awaitable[None] | None


class AckGroup(msgspec.Struct, frozen=True):
    """What is told in one call."""

    acknowledger: Acknowledger
    reference: Hashable
    successful: list[AnyMessage]
    failed: list[AnyMessage]


def ack_groups(successful: Iterable[AnyMessage], failed: Iterable[AnyMessage]) -> list[AckGroup]:
    """One group per acknowledger (by identity) and reference, in order of first appearance.

    Messages without an acknowledger are in no group. A reference that cannot be hashed is equal to
    itself alone: what a source has made up must not keep others from being told.
    """
    found: dict[tuple[int, Hashable], AckGroup] = {}
    for message in successful:
        if message.acknowledger is not UNACKNOWLEDGED:
            _group_of(message, found).successful.append(message)
    for message in failed:
        if message.acknowledger is not UNACKNOWLEDGED:
            _group_of(message, found).failed.append(message)
    return list(found.values())


def _group_of(message: AnyMessage, found: dict[tuple[int, Hashable], AckGroup]) -> AckGroup:
    key: tuple[int, Hashable] = (id(message.acknowledger), message.reference)
    _, error = attempt(hash, key)
    if error is not None:
        key = (id(message.acknowledger), _Itself(id(message.reference)))
    if key not in found:
        found[key] = AckGroup(message.acknowledger, message.reference, [], [])
    return found[key]


class _Itself(msgspec.Struct, frozen=True):
    """In the place of a reference that cannot be hashed."""

    number: int


async def ack(group: AckGroup) -> bool:
    """Tell the acknowledger what has come to an end; whether it took it.

    One that raises harms nobody: it is told of as ``AcknowledgerFailed``. A cancellation goes on.
    """
    count = len(group.successful) + len(group.failed)
    told = group.acknowledger.ack
    return await _tell(group, count, told, group.successful, group.failed)


async def give_back(group: AckGroup) -> bool:
    """Give the group's messages, all in ``successful``, back; otherwise as ``ack``."""
    back = group.acknowledger.give_back
    return await _tell(group, len(group.successful), back, group.successful)


async def _tell(
    group: AckGroup, count: int, callback: Callable[..., Told], *messages: list[AnyMessage]
) -> bool:
    outcome = await guarded(callback, group.reference, *messages)
    if isinstance(outcome, Ok):
        return True
    process = require_process("acknowledging messages")
    if AcknowledgerFailed in process.table.instruments.wanted:
        process.table.instruments.emit(
            AcknowledgerFailed(
                process.pid,
                short_repr(group.acknowledger),
                short_repr(group.reference),
                count,
                outcome.reason,
            )
        )
    return False
