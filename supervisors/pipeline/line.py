"""What all stages of one pipeline share: its declaration, who holds what, whether it drains.

One instance for one run of the pipeline's supervisor. All stages run in one Trio thread, so it needs
no lock and no messages.
"""

from __future__ import annotations

from runtime import Pid
from runtime.process import Process
from supervisors.pipeline.custody import Custody
from supervisors.pipeline.declaration import Declaration
from supervisors.pipeline.rate_window import RateWindow


class Line:
    """See above.

    - ``rate``: the window of all producers, if there is a limit.
    - ``draining``: the producers have been asked to end; none is to start again.
    - ``done``: the names of the stages that have done all they had to, and ended ``Normal``.
    """

    def __init__(self, declaration: Declaration) -> None:
        self.declaration = declaration
        self.name = declaration.name
        self.custody = Custody()
        limit = declaration.producers.rate_limit
        self.rate = None if limit is None else RateWindow(limit)
        self.draining = False
        self.done: set[str] = set()

    def producer_name(self, index: int) -> str:
        """The registered name of a producer."""
        return f"{self.name}.producer_{index}"

    def producer_pids(self) -> list[Pid]:
        """The producers that run now."""
        raise NotImplementedError

    def joined(self, process: Process, stage: str) -> None:
        """A stage begins, in its ``init``: from now on it can hold messages."""
        raise NotImplementedError
