from __future__ import annotations

from tests.examples.programs import finish

OUTPUT = """\
haiku.txt: 15 words, the longest is silence
greeting.txt: 2 words, the longest is grüß
put aside by count: ValueError
put aside by decode: UnicodeDecodeError
put aside by read: FileNotFoundError
"""


def test_items_go_from_step_to_step_and_what_fails_is_put_aside() -> None:
    done = finish("-W", "error", "examples/pipeline_steps.py")
    assert (done.returncode, done.stdout, done.stderr) == (0, OUTPUT, "")
