"""``index``: the pipeline in its tree, run to the end, and what came of it.

::

    codesearch         one_for_one, ends when the pipeline does
    |-- indexing       the pipeline: source, processors, batcher, batch processor
    |-- chaos          only with --chaos
    `-- progress       only without --quiet

The pipeline ends when its source does, which is when every file has been acknowledged. The index
says what is new: a file that is not in it as it is now. How far the source has come with that is in
its checkpoint, a file beside the index, from which the next run goes on if this one does not come
to its end; then it has done its duty and is removed.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from contextlib import closing

from examples.codesearch.callbacks import Indexing
from examples.codesearch.chaos import Chaos
from examples.codesearch.listing import PATTERN, SKIP, Listed
from examples.codesearch.options import IndexOptions
from examples.codesearch.parse import as_text
from examples.codesearch.reporter import report
from examples.codesearch.store import Store
from examples.codesearch.tally import Tally
from examples.codesearch.workers import Workers
from examples.sitecheck.logs import configure_logs
from runtime import ChildSpec, child_spec
from supervisors import run
from supervisors.pipeline import Batcher, PipelineRef, Processors, Producers
from supervisors.pipeline.sources import Directory

ROOT = "codesearch"
PIPELINE = "indexing"

# The last batch of a run waits for so long in vain.
BATCH_SECONDS = 0.25
SHOWN_LOST = 5


class Run:
    """One run over the files that are new."""

    def __init__(self, options: IndexOptions, store: Store, new: Sequence[str]) -> None:
        self._options = options
        self._checkpoint = options.db.with_name(f"{options.db.name}.checkpoint.db")
        self.tally = tally = Tally(map(as_text, new))
        self.chaos = Chaos(PipelineRef(PIPELINE), tally, options.chaos, options.seed)
        self._callbacks = Indexing(store, Workers(options.root, options.workers), tally, self.chaos)

    def run(self) -> int:
        """Run the tree to its end; the exit status."""
        status = self._run_tree()
        # Of no use any more; or it says that files are done which the index has not.
        if self.tally.is_finished or not self.tally.done:
            for suffix in ("", "-wal", "-shm"):
                self._checkpoint.with_name(self._checkpoint.name + suffix).unlink(missing_ok=True)
        return status or int(bool(self.tally.lost))

    def _run_tree(self) -> int:
        try:
            run(
                self._children(),
                name=ROOT,
                auto_shutdown="any_significant",
                console=self._options.console,
            )
        except SystemExit as leaving:
            return leaving.code if isinstance(leaving.code, int) else 1
        return 0

    def _children(self) -> list[ChildSpec | None]:
        chaos, quiet = self._options.chaos, self._options.quiet
        return [
            self._pipeline().replace(restart="transient", significant=True),
            child_spec(self.chaos.cause).replace(id="chaos", restart="temporary")
            if chaos
            else None,
            None
            if quiet
            else child_spec(report, self.tally).replace(id="progress", restart="temporary"),
        ]

    def _pipeline(self) -> ChildSpec:
        options = self._options
        return self._callbacks.child_spec(
            name=PIPELINE,
            producers=Producers(make=lambda index: self._source()),
            # Few at a time: whoever has parsed one gives it on, and a kill costs little.
            processors=Processors(concurrency=options.workers, max_demand=4),
            batchers={"default": Batcher(size=options.batch, timeout=BATCH_SECONDS)},
            max_restarts=3 + options.chaos,
            ends=True,
        )

    def _source(self) -> Directory:
        return Directory(self._options.root, self._checkpoint, pattern=PATTERN, skip=SKIP)


def index(options: IndexOptions) -> int:
    """Bring the index up to date and say how it went; the exit status is returned.

    Raises ``WrongDatabase``.
    """
    configure_logs()
    with closing(Store(options.db, options.root)) as store:
        listed = store.compare()
        if not listed.files:
            where = f"there is no Python file below {options.root}"
            print(f"codesearch: argument DIRECTORY: {where}", file=sys.stderr)
            return 2
        store.forget(listed.gone)
        if not options.quiet and (listed.new or listed.gone):
            print(f"codesearch: {_news(listed)}", file=sys.stderr, flush=True)
        if not listed.new:
            print(f"nothing is new in {listed.files:,} files")
            return 0
        started = time.monotonic()
        this = Run(options, store, listed.new)
        status = this.run()
        print("\n".join(_outcome(this, time.monotonic() - started)))
    return status


def _news(listed: Listed) -> str:
    news = f"{len(listed.new):,} of {listed.files:,} files are new"
    gone = len(listed.gone)
    return f"{news}, {gone:,} {'is' if gone == 1 else 'are'} gone" if gone else news


def _outcome(this: Run, seconds: float) -> list[str]:
    tally, killed = this.tally, this.chaos.killed
    failed = f", {tally.failed:,} failed" if tally.failed else ""
    why = "; status says why" if tally.failed else ""
    lines = [f"indexed {tally.stored:,} files{failed}, in {seconds:.1f} s{why}"]
    if killed:
        what = ", ".join(f"{kind} {times}" for kind, times in sorted(killed.items()))
        lines.append(f"killed {killed.total()}: {what}")
    if tally.left:
        lines.append(f"{len(tally.left):,} files are left; the next index goes on with them")
    for path, reason in list(tally.lost.items())[:SHOWN_LOST]:
        lines.append(f"not stored: {path}: {reason}")
    if len(tally.lost) > SHOWN_LOST:
        lines.append(f"and {len(tally.lost) - SHOWN_LOST:,} more; the next index tries them again")
    return lines
