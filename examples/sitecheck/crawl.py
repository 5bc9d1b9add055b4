"""What a run is told to do: plain data that every process of the tree is started with."""

from __future__ import annotations

from pathlib import Path

import msgspec


class Crawl(msgspec.Struct, frozen=True):
    """One run. ``started_at`` (wall clock) tells what was checked in this run from what before."""

    start: str
    database: Path
    started_at: float
    robots: str = ""
    workers: int = 8
    limit: int | None = None
    timeout: float = 10.0
    chaos: int = 0
    seed: int = 0
    quiet: bool = False
