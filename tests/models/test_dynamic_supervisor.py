"""A dynamic supervisor against its model, step by step: the log, the answers, the children."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from runtime import ChildSpec
from supervisors import Backoff, DynamicSupervisor, DynamicSupervisorRef
from tests.models.dynamic_model import DynamicModel, DynamicOptions
from tests.models.machine import examples
from tests.models.supervisor_draws import backoffs, first_steps, perhaps_plans, recipes
from tests.models.supervisor_life import Plan, Recipe
from tests.models.supervisor_machine import StageMachine

SUP = DynamicSupervisorRef("sup")


class Beginning(NamedTuple):
    """How a dynamic supervisor starts: not to be ended for so many steps."""

    options: DynamicOptions
    steps: int


beginnings = st.builds(
    Beginning,
    st.builds(
        DynamicOptions,
        max_children=st.sampled_from([None, None, 4, 2, 0]),
        max_restarts=st.sampled_from([3, 2, 1, 0, 4, 8]),
        max_seconds=st.sampled_from([5.0, 2.0]),
        backoff=backoffs,
    ),
    first_steps,
)


class DynamicMachine(StageMachine[DynamicModel]):
    """One dynamic supervisor after another. The tag of a child is its own."""

    @initialize(beginning=beginnings)
    def begins(self, beginning: Beginning) -> None:
        self._begin(beginning)

    @precondition(lambda self: not self.alive)
    @rule(beginning=beginnings)
    def begins_again(self, beginning: Beginning) -> None:
        self._begin(beginning)

    def _begin(self, beginning: Beginning) -> None:
        options = beginning.options

        def spec() -> ChildSpec:
            return DynamicSupervisor.child_spec(
                max_children=options.max_children,
                max_restarts=options.max_restarts,
                max_seconds=options.max_seconds,
                backoff=options.backoff and Backoff(*options.backoff, jitter=0.0),
            )

        self.children = 0
        self.new_supervisor(DynamicModel(options, self.now), {}, beginning.steps, spec)

    def look(self) -> None:
        self.ask("which", "", SUP.which_children)
        self.ask("count", "", SUP.count_children)

    @precondition(lambda self: self.alive)
    @rule(recipe=recipes(), how=perhaps_plans)
    def start_child(self, recipe: Recipe, how: list[Plan] | None) -> None:
        self._start_child(recipe, how)

    @precondition(lambda self: self.alive)
    @rule(recipe=recipes())
    def start_child_at_once(self, recipe: Recipe) -> None:
        self._start_child(replace(recipe, name=None, significant=False), None)

    def _start_child(self, recipe: Recipe, how: list[Plan] | None) -> None:
        self.children += 1
        recipe = replace(recipe, tag=f"c{self.children}")
        self.plan(recipe.tag, how)
        spec = self.stage.spec(recipe)
        self.ask("start", recipe, lambda: SUP.start_child(spec))

    @precondition(lambda self: self.alive and self.stage.pids)
    @rule(pick=st.integers(0, 11))
    def terminate_child(self, pick: int) -> None:
        """By the pid of any incarnation, mostly one that the supervisor may know."""
        known = [life.name for row in self.model.rows for life in (row.life, row.key) if life]
        names = known if known and pick < 9 else list(self.stage.pids)
        name = names[pick % len(names)]
        self.ask("terminate", name, lambda: SUP.terminate_child(self.stage.pids[name]))


TestDynamicSupervisor = DynamicMachine.TestCase
TestDynamicSupervisor.settings = examples(50, steps=40)
