"""What ends the command, each as a line for people and a status for scripts."""

from __future__ import annotations

SAID_NO = 1
NOT_ASKED = 2
INTERRUPTED = 130


class Problem(Exception):
    """Something that the user is told in a line; ``status`` is what the program leaves with."""

    status = NOT_ASKED


class NoService(Problem):
    """There is no service to ask, or it is not clear which one."""


class ServiceGone(Problem):
    """The service, or its console, has ended, or it has shown us the door."""


class NotAnswered(Problem):
    """No answer in time: the loop of the service does not turn."""


class Declined(Problem):
    """The service has answered by an error. ``kind`` is for programs."""

    status = SAID_NO

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


class Abandoned(Problem):
    """The user did not want to wait for the end of an evaluation; the service ends it."""

    status = INTERRUPTED
