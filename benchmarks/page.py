"""The tables of a page, between marks of their own: ``<!-- bench: NAME -->`` and ``<!-- end -->``.

A name is that of a section, or ``run`` for what it ran on, or ``targets`` for all targets.
"""

from __future__ import annotations

import re

from benchmarks.effort import FULL
from benchmarks.run import Run
from benchmarks.table import parts_of, tables, targets

_BLOCK = re.compile(r"(<!-- bench: (.+?) -->\n).*?(<!-- end -->)", re.DOTALL)


class WrongPage(ValueError):
    """The page and the run do not fit."""


def written(page: str, run: Run) -> str:
    """The page with the tables of this run, which must have all that the page has, and no more."""
    blocks = {"run": ran_on(run), "targets": targets(parts_of(run.results))} | tables(run.results)
    names = [name for _, name, _ in _BLOCK.findall(page)]
    if sorted(names) != sorted(blocks):
        raise WrongPage(f"the page has {sorted(names)}, the run {sorted(blocks)}")
    return _BLOCK.sub(lambda found: f"{found[1]}\n{blocks[found[2]]}\n\n{found[3]}", page)


def ran_on(run: Run) -> str:
    """A sentence, and for a quick run a warning."""
    of = run.machine
    elixir = of["elixir"] and f"Elixir {of['elixir']}, "
    rounds = "one round" if run.rounds == 1 else f"at most {run.rounds} rounds"
    sentence = (
        f"{of['implementation']} {of['python']}, Trio {of['trio']}, {elixir}"
        f"{of['system']} with {of['cores']} cores, {rounds}."
    )
    if run.share < FULL.share:
        sentence += "\n\n**A quick run, to see that everything works: its figures say nothing.**"
    return sentence
