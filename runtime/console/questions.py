"""The questions of a client that are no evaluation, and their answers as plain values."""

from __future__ import annotations

from typing import Final, TypeAlias

from runtime.console.acts import Restart, act
from runtime.console.finding import process_of
from runtime.console.frames import (
    Act,
    AskCrashes,
    AskInfo,
    AskTop,
    AskTree,
    InfoView,
    StopTop,
)
from runtime.containment import clean
from runtime.inspection.cpu import measure_cpu, stop_measuring
from runtime.inspection.sampling import sampler_of
from runtime.inspection.snapshot import crashes, mailbox_of, snapshot, view_of
from runtime.inspection.views import CrashView, Snapshot
from runtime.process import Process
from runtime.watchdogs.stacks import stack_of

Question: TypeAlias = AskTree | AskTop | StopTop | AskInfo | AskCrashes
Reply: TypeAlias = Snapshot | InfoView | list[CrashView] | None

_MAX_LIMIT: Final = 10_000_000
_WAITING: Final = 20


class Asker:
    """One client that asks. CPU time is measured from its first ``AskTop`` on."""

    def __init__(self, restart: Restart) -> None:
        self._restart = restart
        self._looks = False

    def answer(self, question: Question) -> Reply:
        """The answer, at once; what it raises is for the client."""
        match question:
            case AskTree():
                sampler_of().sample()
                return snapshot()
            case AskTop():
                self._look()
                limit = min(max(question.limit, 0), _MAX_LIMIT)
                return snapshot(sort=question.sort, limit=limit, find=question.find)
            case StopTop():
                self.look_away()
                return None
            case AskInfo():
                return info(process_of(question.target))
            case _:
                return crashes(max(question.limit, 0))

    async def do(self, question: Act) -> str:
        """Do it, and say what was done."""
        return await act(question.action, process_of(question.target), self._restart)

    def _look(self) -> None:
        if not self._looks:
            measure_cpu()
            self._looks = True
        sampler_of().sample()

    def look_away(self) -> None:
        """It looks no more, or has left."""
        if self._looks:
            self._looks = False
            stop_measuring()


def info(process: Process) -> InfoView:
    """One process in detail, without asking it."""
    view = view_of(process)
    same = [one for one in crashes(_MAX_LIMIT) if _is_of(one, process)]
    return InfoView(
        process=view,
        ancestors=tuple(clean(str(one)) for one in process.ancestors),
        state=process.body.describe_state(),
        waiting=mailbox_of(process.pid, _WAITING),
        stack=stack_of(process),
        crashes=tuple(same),
        facts=view.facts,
    )


def _is_of(crash: CrashView, process: Process) -> bool:
    """Of the incarnations before, which had the same name; of the others nothing is known."""
    if process.name is not None:
        return crash.name == process.name
    return crash.pid == process.pid.number
