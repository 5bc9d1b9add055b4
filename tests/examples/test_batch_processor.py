from __future__ import annotations

from tests.examples.programs import finish

OUTPUT = """\
3 apple: 1.20
2 pear: 1.10
1 melon: 3.10
10 apple: 4.00
4 orders are worth 9.40
not priced: some pear (ValueError: invalid literal for int() with base 10: 'some')
not priced: 5 quince (LookupError: there is no quince)
not priced: 1 forever (not done within 1 s)
"""


def test_what_failed_is_kept_apart_with_its_input() -> None:
    done = finish("-W", "error", "examples/batch_processor.py")
    assert (done.returncode, done.stdout, done.stderr) == (0, OUTPUT, "")
