from __future__ import annotations

import pytest

from supervisors.command.arguments import Arguments, parse


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("list --json", Arguments(command="list", json=True)),
        ("attach", Arguments(command="attach")),
        ("attach shop", Arguments(command="attach", service="shop")),
        ("tree --all --json", Arguments(command="tree", everything=True, json=True)),
        ("top shop", Arguments(command="top", service="shop")),
        ("info counter shop", Arguments(command="info", target="counter", service="shop")),
        ("stack", Arguments(command="stack")),
        ("crashes --limit 3 shop", Arguments(command="crashes", limit=3, service="shop")),
        ("eval tree()", Arguments(command="eval", source="tree()")),
        ("eval - shop", Arguments(command="eval", source="-", service="shop")),
        ("repl a.b:c --name x", Arguments(command="repl", tree="a.b:c", name="x")),
    ],
)
def test_what_may_be_said(line: str, said: Arguments) -> None:
    assert parse(line.split()) == said


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("", "the following arguments are required: COMMAND"),
        ("dance", "invalid choice: 'dance'"),
        ("info", "the following arguments are required: PROCESS"),
        ("crashes --limit 0", "'0' is not a whole number, 1 or more"),
        ("crashes --limit x", "'x' is not a whole number, 1 or more"),
        ("top --json", "unrecognized arguments: --json"),
    ],
)
def test_what_may_not_be_said(line: str, why: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        parse(line.split())
    errors = capsys.readouterr().err
    assert (left.value.code, why in errors, errors.count("\n")) == (2, True, 1)
