"""Polite to every host: two requests at once and forty a second for each, however many there are.

    python examples/rate_limiter.py

Each host gets a limiter of its own when it is first asked for, and loses it when it is idle. Who
must wait is served in turn; a fetcher that is ended gives back what it held, and one that is tired
of waiting takes nothing along.
"""

from collections import Counter

import trio

from runtime import CallTimeout, Ref, Shutdown, exit, spawn, wait_exit
from supervisors import KeyedRateLimiter, KeyedRateLimiterRef, open_supervisor

children = [
    KeyedRateLimiter.child_spec(2, rate=40, burst=4, idle_stop=0.1).replace(name="hosts"),
]
hosts: KeyedRateLimiterRef[str] = KeyedRateLimiterRef("hosts")  # looked up at each use

fetched: Counter[str] = Counter()
running: Counter[str] = Counter()
most: Counter[str] = Counter()


async def fetch(host: str, path: str) -> None:
    async with hosts.permit(host):
        running[host] += 1
        most[host] = max(most[host], running[host])
        await trio.sleep(0.01)  # here would be the request for https://{host}/{path}
        running[host] -= 1
        fetched[host] += 1


async def hang(host: str, begun: trio.Event) -> None:
    async with hosts.permit(host):
        begun.set()
        await trio.sleep_forever()


async def crawl() -> None:
    async with trio.open_nursery() as nursery:
        for number in range(8):
            nursery.start_soon(fetch, "example.org", f"page-{number}")
        nursery.start_soon(fetch, "example.net", "index")
    for host in sorted(fetched):
        print(f"{host}: {fetched[host]} fetched, at most {most[host]} at once")


async def wait_for_a_permit() -> Ref:
    begun = [trio.Event(), trio.Event()]
    fetchers = [spawn(hang, "example.com", event) for event in begun]
    for event in begun:
        await event.wait()
    print("a permit now:", await hosts.try_acquire("example.com"))
    try:
        await hosts.acquire("example.com", timeout=0.02)
    except CallTimeout:
        print("a permit soon: no")
    for fetcher in fetchers:
        exit(fetcher, Shutdown())
    async with hosts.permit("example.com") as permit:
        print("a permit when they have ended: yes")
    return permit.limiter


async def main() -> None:
    async with open_supervisor(children):
        await crawl()
        limiter = await wait_for_a_permit()
        print("its limiter, when nobody has asked for a while:", await wait_exit(limiter))


if __name__ == "__main__":
    trio.run(main)
