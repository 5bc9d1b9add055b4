"""A price feed: subscribers by topic, and a bus that needs no goodbye from one that has left."""

import msgspec
import trio

from runtime import Call, GenServer, PubSub, handles, named
from supervisors import open_supervisor


class Price(msgspec.Struct, frozen=True):
    symbol: str
    cents: int


class Seen(Call[str]):
    """Reply with the prices that have come so far."""


prices: PubSub[Price] = PubSub("prices")


class Watcher(GenServer):
    def __init__(self, *symbols: str) -> None:
        self.symbols = symbols
        self.seen: list[str] = []

    def init(self) -> None:
        for symbol in self.symbols:
            prices.subscribe(symbol)

    @handles(Price)
    def note(self, price: Price) -> None:
        self.seen.append(f"{price.symbol} {price.cents / 100:.2f}")

    @handles(Seen)
    def tell(self, request: Seen) -> str:
        return ", ".join(self.seen)


children = [
    PubSub.child_spec("prices"),  # before those who subscribe
    Watcher.child_spec("AAA").replace(name="ann"),
    Watcher.child_spec("AAA", "BBB").replace(name="bob", restart="temporary"),
]


def publish(symbol: str, cents: int) -> None:
    count = prices.broadcast(symbol, Price(symbol, cents))
    print(f"{symbol} {cents / 100:.2f} went to {count}")


async def main() -> None:
    async with open_supervisor(children, strategy="one_for_one", max_restarts=3, max_seconds=5.0):
        publish("AAA", 1000)
        publish("BBB", 250)
        publish("CCC", 1)
        print("bob saw", await named("bob").call(Seen()))
        await named("bob").stop()
        publish("AAA", 1001)
        print("ann saw", await named("ann").call(Seen()))


if __name__ == "__main__":
    trio.run(main)
