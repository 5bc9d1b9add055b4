# counter.py - subclass GenServer in a service, start a supervision tree from main
import trio

from runtime import Call, Cast, GenServer, handles, named
from supervisors import open_supervisor


class Get(Call[int]):
    """Reply with the current count."""


class Add(Cast):
    """Add `by` to the count."""

    by: int = 1


class Counter(GenServer):
    def __init__(self, start: int = 0) -> None:
        self.count = start

    @handles(Get)
    def get(self, request: Get) -> int:  # both checkers hold the reply to Call[int]
        return self.count

    @handles(Add)
    def add(self, message: Add) -> None:
        self.count += message.by


# the arguments are checked against __init__
children = [Counter.child_spec(10).replace(name="counter")]


async def main() -> None:
    async with open_supervisor(children, strategy="one_for_one", max_restarts=3, max_seconds=5.0):
        counter = named("counter")  # resolves at each call, so it follows restarts
        counter.cast(Add(by=2))  # sync: never blocks
        print(await counter.call(Get()))  # 12; mypy and pyright know it is an int


if __name__ == "__main__":
    trio.run(main)
