"""A small service for the tests: one server counts, another one blocks the loop when told to."""

from __future__ import annotations

import time

from runtime import Call, Cast, GenServer, handles
from supervisors import run


class Get(Call[int]):
    """Reply with the count."""


class Add(Cast):
    """Add one."""


class Fail(Cast):
    """Crash."""


class Block(Cast):
    """Hold the loop up."""

    seconds: float


class Counter(GenServer):
    """Counts."""

    def __init__(self) -> None:
        self.count = 0

    @handles(Get)
    def get(self, request: Get) -> int:
        return self.count

    @handles(Add)
    def add(self, message: Add) -> None:
        self.count += 1

    @handles(Fail)
    def fail(self, message: Fail) -> None:
        raise ValueError("told to")


class Blocker(GenServer):
    """Does what no handler should."""

    @handles(Block)
    def hold_up(self, message: Block) -> None:
        time.sleep(message.seconds)


children = [
    Counter.child_spec().replace(name="counter"),
    Blocker.child_spec().replace(name="blocker"),
]


def main() -> None:
    """Run it; from another module, so that messages are of the classes a prompt imports."""
    run(children, name="small", console=True)
