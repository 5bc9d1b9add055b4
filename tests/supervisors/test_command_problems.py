from __future__ import annotations

import pytest

from supervisors.command.problems import (
    Abandoned,
    Declined,
    NoService,
    NotAnswered,
    Problem,
    ServiceGone,
)


@pytest.mark.parametrize(
    ("problem", "status"),
    [
        (Problem("x"), 2),
        (NoService("x"), 2),
        (ServiceGone("x"), 2),
        (NotAnswered("x"), 2),
        (Declined("Kind", "x"), 1),
        (Abandoned("x"), 130),
    ],
)
def test_each_has_its_words_and_its_status(problem: Problem, status: int) -> None:
    assert (str(problem), problem.status) == ("x", status)
