from __future__ import annotations

from tests.examples.programs import finish

OUTPUT = """\
workers: 4
all: [('retries', 103), ('workers', 8)]
"""


def test_no_change_to_the_settings_is_lost() -> None:
    done = finish("-W", "error", "examples/settings_agent.py")
    assert (done.returncode, done.stdout, done.stderr) == (0, OUTPUT, "")
