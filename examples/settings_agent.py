"""Settings that a program reads and changes while it runs: an agent, a state without a class.

    python examples/settings_agent.py

In Elixir: ``Agent``. It is a GenServer that holds one value and runs the functions it is sent, one
after the other, so nobody needs a lock and no change is lost.

Enough is an agent as long as the state is small and everything that is done to it is a short plain
function. Take a GenServer when the state has rules that its users should not know, when something
is to happen by itself (a timer, a message), or when a function would have to await. Take a table
when many read and few write: that costs no message, while an agent serves one after the other.

There is no limit to choose. What bounds an agent is the time its functions take: they run inside
it, one at a time, and in the one thread of the program, so they must be short and never block.
"""

import trio

from runtime import Agent, AgentRef
from supervisors import open_supervisor

Settings = dict[str, int]


def defaults() -> Settings:
    return {"workers": 4, "retries": 3}


def set_to(settings: Settings, name: str, value: int) -> Settings:
    return {**settings, name: value}


def raise_by(settings: Settings, name: str, by: int) -> tuple[int, Settings]:
    """Read and write in one step: nobody comes in between."""
    value = settings[name] + by
    return value, {**settings, name: value}


children = [Agent.child_spec(defaults).replace(name="settings")]
settings: AgentRef[Settings] = AgentRef("settings")  # looked up at each use


async def one_more_retry() -> int:
    return await settings.get_and_update(raise_by, "retries", 1)


async def main() -> None:
    async with open_supervisor(children):
        print("workers:", await settings.get(lambda held: held["workers"]))
        await settings.update(set_to, "workers", 8)
        async with trio.open_nursery() as nursery:
            for _ in range(100):
                nursery.start_soon(one_more_retry)
        print("all:", await settings.get(sorted_items))


def sorted_items(held: Settings) -> list[tuple[str, int]]:
    return sorted(held.items())


if __name__ == "__main__":
    trio.run(main)
