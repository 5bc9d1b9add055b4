"""A supervisor against its model, step by step: the log, the answers, the table of children."""

from __future__ import annotations

from hypothesis.stateful import initialize, precondition, rule

from runtime import ChildSpec
from supervisors import Backoff, Supervisor, SupervisorRef
from tests.models.machine import examples
from tests.models.supervisor_draws import (
    Beginning,
    beginnings,
    perhaps_plans,
    picked,
    picks,
    recipes,
)
from tests.models.supervisor_life import Plan, Recipe
from tests.models.supervisor_machine import StageMachine
from tests.models.supervisor_model import SupervisorModel

SUP = SupervisorRef("sup")


class SupervisorMachine(StageMachine[SupervisorModel]):
    """One supervisor after another."""

    @initialize(beginning=beginnings())
    def begins(self, beginning: Beginning) -> None:
        self._begin(beginning)

    @precondition(lambda self: not self.alive)
    @rule(beginning=beginnings())
    def begins_again(self, beginning: Beginning) -> None:
        self._begin(beginning)

    def _begin(self, beginning: Beginning) -> None:
        options, children = beginning.options, beginning.recipes

        def spec() -> ChildSpec:
            return Supervisor.child_spec(
                [self.stage.spec(recipe) for recipe in children],
                strategy=options.strategy,
                max_restarts=options.max_restarts,
                max_seconds=options.max_seconds,
                auto_shutdown=options.auto_shutdown,
                backoff=options.backoff and Backoff(*options.backoff, jitter=0.0),
            )

        model = SupervisorModel(options, children, self.now)
        self.new_supervisor(model, beginning.plans, beginning.steps, spec)

    def look(self) -> None:
        self.ask("which", "", SUP.which_children)
        self.ask("count", "", SUP.count_children)

    @precondition(lambda self: self.alive)
    @rule(recipe=recipes(), how=perhaps_plans)
    def start_child(self, recipe: Recipe, how: list[Plan] | None) -> None:
        self.plan(recipe.tag, how)
        spec = self.stage.spec(recipe)
        self.ask("start", recipe, lambda: SUP.start_child(spec))

    @precondition(lambda self: self.alive)
    @rule(pick=picks)
    def terminate_child(self, pick: int) -> None:
        tag = picked(pick, self.model.rows)
        self.ask("terminate", tag, lambda: SUP.terminate_child(tag))

    @precondition(lambda self: self.alive)
    @rule(pick=picks, how=perhaps_plans)
    def restart_child(self, pick: int, how: list[Plan] | None) -> None:
        tag = picked(pick, self.model.stopped or self.model.rows)
        self.plan(tag, how)
        self.ask("restart", tag, lambda: SUP.restart_child(tag))

    @precondition(lambda self: self.alive)
    @rule(pick=picks)
    def delete_child(self, pick: int) -> None:
        tag = picked(pick, self.model.stopped or self.model.rows)
        self.ask("delete", tag, lambda: SUP.delete_child(tag))


TestSupervisor = SupervisorMachine.TestCase
TestSupervisor.settings = examples(50, steps=40)
