"""Sources of pipelines that are real: a durable queue, the lines of files, a directory.

Each delivers at least once, whatever crashes: see ``docs/sources.md``.
"""

from __future__ import annotations

from runtime.annotations import publish
from supervisors.pipeline.sources.directory import Directory
from supervisors.pipeline.sources.file_lines import FileLines, LineTooLong
from supervisors.pipeline.sources.queue_store import QueueStore
from supervisors.pipeline.sources.queue_values import (
    Failure,
    Lease,
    Leased,
    QueueStatistics,
    StoredLetter,
)
from supervisors.pipeline.sources.sqlite_file import UnusableFile
from supervisors.pipeline.sources.sqlite_queue import Rejected, SqliteQueue
from supervisors.pipeline.sources.sqlite_queue_ref import DeadLetter, SqliteQueueRef

__all__ = [
    "DeadLetter",
    "Directory",
    "Failure",
    "FileLines",
    "Lease",
    "Leased",
    "LineTooLong",
    "QueueStatistics",
    "QueueStore",
    "Rejected",
    "SqliteQueue",
    "SqliteQueueRef",
    "StoredLetter",
    "UnusableFile",
]

publish("supervisors.pipeline.sources", {name: globals()[name] for name in __all__})
