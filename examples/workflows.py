"""Orders: one process for each, found by its number, and restarted with what it had done.

    python examples/workflows.py

The engines are children of a dynamic supervisor and registered by order number. One that crashes is
restarted under its number and reads in the journal how far it had come; one that has finished is
gone. Between a crash and the restart nobody is there for a moment: worth another try.
"""

from collections import defaultdict

import stamina
import trio
from stamina.instrumentation import set_on_retry_hooks

from runtime import (
    AlreadyStarted,
    Call,
    CallExit,
    ChildSpec,
    GenServer,
    Normal,
    Registry,
    Stop,
    handles,
    retryable,
    via,
    wait_exit,
)
from supervisors import DynamicSupervisor, DynamicSupervisorRef, open_supervisor

STEPS = ["pay", "pack", "send"]

journal: defaultdict[int, list[str]] = defaultdict(list)  # a database, in real life
without_box = {18}


class Advance(Call[str]):
    """Take the next step; reply with its name."""


class Status(Call[str]):
    """Reply with what is left to do."""


class Workflow(GenServer):
    def __init__(self, order: int) -> None:
        self.order = order
        self.done: list[str] = []

    def init(self) -> None:
        self.done = list(journal[self.order])
        print(f"{self.order}: starts, done so far: {', '.join(self.done) or 'nothing'}")

    @handles(Advance)
    def advance(self, request: Advance) -> str | Stop:
        step = STEPS[len(self.done)]
        if step == "pack" and self.order in without_box:
            without_box.remove(self.order)
            raise LookupError("no box is left")
        journal[self.order].append(step)
        self.done.append(step)
        return Stop(Normal(), reply=step) if step == STEPS[-1] else step

    @handles(Status)
    def tell(self, request: Status) -> str:
        return " and ".join(STEPS[len(self.done) :])


def workflow(order: int) -> ChildSpec:
    return Workflow.child_spec(order).replace(name=via("workflows", order), restart="transient")


children = [
    Registry.child_spec().replace(name="workflows"),  # before those who register
    DynamicSupervisor.child_spec(max_children=100).replace(name="engines"),
]
engines = DynamicSupervisorRef("engines")


@stamina.retry(on=retryable(), wait_initial=0.01, wait_jitter=0.0)
async def status(order: int) -> str:
    return await via("workflows", order).call(Status())


async def advance(order: int) -> None:
    try:
        print(f"{order}: {await via('workflows', order).call(Advance())}")
    except CallExit as error:
        print(f"{order}: {error.__cause__}")


async def main() -> None:
    set_on_retry_hooks([])
    # without instruments no crash is logged: here it is part of the show
    async with open_supervisor(children, strategy="rest_for_one", instruments=[]):
        for order in (17, 18):
            await engines.start_child(workflow(order))
            await advance(order)
        try:
            await engines.start_child(workflow(17))
        except AlreadyStarted:
            print("17: is there already")
        await advance(17)
        await advance(18)  # crashes
        print(f"18: is to {await status(18)}")
        last = via("workflows", 17).pid
        await advance(17)
        await wait_exit(last)
        print(f"17: is found as {via('workflows', 17).whereis()}")
        print(f"engines left: {(await engines.count_children()).active}")


if __name__ == "__main__":
    trio.run(main)
