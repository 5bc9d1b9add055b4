"""Processes and how they end: at once, each in its own way, or when they are told to."""

from __future__ import annotations

import trio

from runtime import ProcessExit


async def raises() -> None:
    raise ValueError("real reason")


async def exits() -> None:
    raise ProcessExit("real reason")


async def note_end(log: list[str], tag: str, seconds: float = 0.0) -> None:
    """Runs until it is cancelled, and then takes its time."""
    try:
        await trio.sleep_forever()
    finally:
        with trio.CancelScope(shield=True):
            await trio.sleep(seconds)
        log.append(tag)
