"""What Hypothesis draws for the machines of supervisors."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

from hypothesis import strategies as st

from runtime import Restart
from tests.models.supervisor_life import Plan, Recipe
from tests.models.supervisor_model import Options
from tests.models.supervisor_parts import BackoffNumbers

TAGS = "abcde"
EXITS = ("normal", "shutdown", "shutdown done", "boom")
"""The reasons that processes are told to end with."""

tags = st.sampled_from(TAGS)
picks = st.integers(0, 11)
"""Which child is meant: see ``picked``."""
exits = st.sampled_from(EXITS)
ends = st.sampled_from([*EXITS, "crash oops", "boom", "kill", "signal boom", "signal normal"])
"""What befalls a child: a message at which it ends itself, a kill, a stranger's signal."""

# Fractions that do not add up to each other, as those of the budgets: no two deadlines of one
# process fall together, also when it is asked to stop at a deadline of another.
_delays = st.sampled_from([0.0, 0.0, 0.0, 0.25 + 128 / 1024, 2.25 + 200 / 1024])
_naps = st.sampled_from([0.0, 0.0, 0.75 + 1 / 1024, 1.75 + 4 / 1024, 3.75 + 16 / 1024])
backoffs = st.sampled_from([None, None, BackoffNumbers(1 + 32 / 1024, 3 + 40 / 1024, 2.0)])
_plan = st.builds(Plan, st.sampled_from(["raise", "raise", "stop", "ignore", "up"]), _delays)
plans = st.lists(_plan, min_size=1, max_size=4)
first_steps = st.sampled_from([25, 15, 35, 0])
"""For how long a supervisor is not ended from outside."""
perhaps_plans = plans | st.none()
_slow = st.builds(Plan, st.just("up"), _delays)
_first_plans = st.dictionaries(tags, _slow | _slow | _slow | _plan, max_size=2)


def picked(pick: int, present: Iterable[str]) -> str:
    """The tag that is meant: mostly one of those that are there."""
    there = list(present)
    return there[pick % len(there)] if there and pick < 10 else TAGS[pick % len(TAGS)]


@st.composite
def recipes(draw: st.DrawFn, tags: st.SearchStrategy[str] = tags) -> Recipe:
    """A child; one that is significant must not be permanent."""
    restart: Restart = draw(st.sampled_from(["permanent", "transient", "temporary"]))
    return Recipe(
        tag=draw(tags),
        restart=restart,
        significant=restart != "permanent" and draw(st.booleans()),
        kind=draw(st.sampled_from(["worker", "worker", "supervisor"])),
        trap=draw(st.booleans()),
        nap=draw(_naps),
        shutdown=draw(
            st.sampled_from([5.0, 1 + 1 / 65536, 2 + 3 / 65536, math.inf, "brutal_kill"])
        ),
        name=draw(st.sampled_from([None, None, None, None, None, "shared"])),
    )


class Beginning(NamedTuple):
    """How a supervisor starts: with these children, and not to be ended for so many steps."""

    options: Options
    recipes: list[Recipe]
    plans: dict[str, Plan]
    steps: int


@st.composite
def beginnings(draw: st.DrawFn) -> Beginning:
    """The start of a supervisor that takes all its children."""
    options = draw(_all_options())
    children = [
        draw(recipes(st.just(tag)))
        for tag in draw(st.lists(tags, min_size=1, max_size=4, unique=True))
    ]
    if options.auto_shutdown == "never":
        children = [replace(recipe, significant=False) for recipe in children]
    return Beginning(options, children, draw(_first_plans), draw(first_steps))


@st.composite
def _all_options(draw: st.DrawFn) -> Options:
    """The options of a supervisor."""
    return Options(
        strategy=draw(st.sampled_from(["one_for_one", "one_for_all", "rest_for_one"])),
        max_restarts=draw(st.sampled_from([3, 2, 1, 0, 4, 8])),
        max_seconds=draw(st.sampled_from([5.0, 2.0])),
        auto_shutdown=draw(st.sampled_from(["never", "any_significant", "all_significant"])),
        backoff=draw(
            st.sampled_from([None, None, BackoffNumbers(1 + 32 / 1024, 3 + 40 / 1024, 2.0)])
        ),
    )
