"""Processes that end at once, each in its own way."""

from __future__ import annotations

from runtime import ProcessExit


async def raises() -> None:
    raise ValueError("real reason")


async def exits() -> None:
    raise ProcessExit("real reason")
