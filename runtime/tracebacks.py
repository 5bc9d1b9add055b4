"""A crash as text: the user's frames, no local variables.

Local variables are the state, and the state is shown only as far as the server's ``redact`` allows.
"""

from __future__ import annotations

import os
import traceback

_HERE = os.path.dirname(__file__)
OWN_FILES = (
    os.path.join(_HERE, ""),
    os.path.join(os.path.dirname(_HERE), "supervisors", ""),
)
"""What the paths of the runtime's own files begin with."""


def format_crash(exc: BaseException, *, frames: int | None = None) -> str:
    """The traceback as text, from the user's first frame on; at most the last ``frames``."""
    limit = None if frames is None else -frames
    report = traceback.TracebackException.from_exception(exc, limit=limit)
    _drop_own_frames(report)
    return "".join(report.format()).rstrip()


def _drop_own_frames(report: traceback.TracebackException) -> None:
    """In the exception and everything it came from; by a list, since chains can be long."""
    reports = [report]
    while reports:
        one = reports.pop()
        users = [frame for frame in one.stack if not frame.filename.startswith(OWN_FILES)]
        one.stack = traceback.StackSummary.from_list(users)
        others = (one.__cause__, one.__context__, *(one.exceptions or ()))
        reports.extend(other for other in others if other is not None)


def last_frame(exc: BaseException) -> str:
    """Where it was raised, as ``file:line function``, in the user's code if it went through any.

    At a hundredth of the cost of the whole traceback; empty if it was never raised.
    """
    trace, found = exc.__traceback__, None
    users = None
    while trace is not None:
        found = trace
        if not trace.tb_frame.f_code.co_filename.startswith(OWN_FILES):
            users = trace
        trace = trace.tb_next
    last = found if users is None else users
    if last is None:
        return ""
    code, line = last.tb_frame.f_code, last.tb_lineno
    found = users = last = None  # they lead to frames
    return f"{code.co_filename}:{line} {code.co_name}"
