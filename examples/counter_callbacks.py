"""The server of ``counter.py`` with OTP's own callbacks, for those who prefer them."""

import trio

from runtime import Call, Cast, GenServer, ReplyTo, named
from supervisors import open_supervisor


class Get(Call[int]):
    """Reply with the current count."""


class Add(Cast):
    """Add `by` to the count."""

    by: int = 1


class Counter(GenServer):
    def __init__(self, start: int = 0) -> None:
        self.count = start

    def handle_call(self, request: Get, reply_to: ReplyTo[int]) -> int:
        return self.count

    def handle_cast(self, message: Add) -> None:
        self.count += message.by


async def main() -> None:
    async with open_supervisor([Counter.child_spec(10).replace(name="counter")]):
        named("counter").cast(Add(by=2))
        print(await named("counter").call(Get()))


if __name__ == "__main__":
    trio.run(main)
