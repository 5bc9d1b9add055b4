"""The third journey of a user: look at a living tree from another terminal. README shows it."""

from __future__ import annotations

import re

from tests.console_e2e.terminals import ROOT, Programs

PROMPT = "shop>"


def transcript() -> list[tuple[str, str]]:
    """What README types at the prompt, and what it says is answered."""
    readme = (ROOT / "README.md").read_text()
    (shown,) = re.findall(r"```console\n\$ otp attach shop\n(.*?)```", readme, re.DOTALL)
    steps = re.findall(r"^shop> (.*)\n((?:(?!shop>).*\n)*)", shown, re.MULTILINE)
    assert len(steps) >= 4
    return steps


def as_pattern(line: str) -> str:
    """Pids, ages and counts differ."""
    return re.sub(r"\d+[smhd]?\b", lambda _: r"\d+[smhd]?", re.escape(line))


def test_the_journey_is_as_readme_shows_it(programs: Programs) -> None:
    with programs.service("examples/shop.py"):
        user = programs.otp("attach", "shop")
        user.wait_for(PROMPT)
        for typed, answered in transcript():
            user.type(f"{typed}\r")
            for line in answered.splitlines():
                user.wait_for(as_pattern(line))
            user.wait_for(PROMPT)
        user.type("\x04")
        assert user.left() == 0
