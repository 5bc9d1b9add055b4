"""A kit for tests of programs that are made of processes. See ``docs/testing.md``.

The fixtures ``node`` and ``start_supervised`` come with the package; pytest finds them by itself.
"""

from runtime.annotations import publish as _publish
from runtime.testing.captured_reports import Reports, capture_reports
from runtime.testing.chaos import Kill, open_chaos
from runtime.testing.deaths import remember_deaths
from runtime.testing.ending import CrashedByTest, assert_down, crash
from runtime.testing.leaks import LeakError, no_leaks
from runtime.testing.own_process import as_process, run_as_process
from runtime.testing.receiving import assert_receive, refute_receive
from runtime.testing.scripted import ReceivedCall, Scripted
from runtime.testing.starting import assert_up
from runtime.testing.virtual_time import run_in_virtual_time

__all__ = [
    "CrashedByTest", "Kill", "LeakError", "ReceivedCall", "Reports", "Scripted", "as_process",
    "assert_down", "assert_receive", "assert_up", "capture_reports", "crash", "no_leaks",
    "open_chaos", "refute_receive", "remember_deaths", "run_as_process", "run_in_virtual_time",
]  # fmt: skip

_publish("runtime.testing", {name: globals()[name] for name in __all__})
