"""Several ways to the same answer: the first that succeeds wins, the others are ended.

    python examples/racing.py

One mirror has the page, one accepts and never answers, one is not there. Each try is a task that is
linked to nobody, so one that fails leaves the others running, and ``race`` returns when all are
gone: no connection is left open. Runs on loopback.
"""

from functools import partial

import trio

from runtime import Task, TaskExit, TaskTimeout, open_node, race


async def serve_page(stream: trio.SocketStream) -> None:
    async with stream:
        await stream.send_all(b"the page")


async def serve_nothing(stream: trio.SocketStream) -> None:
    """Until the client hangs up."""
    async with stream:
        async for _ in stream:
            pass


async def fetch(port: int) -> str:
    """One try; leaving the block closes the connection, however the task ends."""
    async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
        page = b""
        async for chunk in stream:
            page += chunk
        return page.decode()


async def fetch_after(seconds: float, port: int) -> str:
    await trio.sleep(seconds)
    return await fetch(port)


async def all_at_once(*ports: int, timeout: float = 5.0) -> str:
    """The fastest, at the price of asking everybody."""
    return await race([await Task.start_nolink(fetch, port) for port in ports], timeout=timeout)


async def one_after_the_other(*ports: int, wait: float) -> str:
    """Ask the next one only when those before have not answered for a while."""
    tries = [await Task.start_nolink(fetch_after, at * wait, port) for at, port in enumerate(ports)]
    return await race(tries)


async def main() -> None:
    async with open_node(instruments=[]), trio.open_nursery() as listeners:  # no crash reports
        async with trio.open_nursery() as connections:
            listen = partial(trio.serve_tcp, port=0, host="127.0.0.1", handler_nursery=connections)
            good = port_of(await listeners.start(partial(listen, serve_page)))
            silent = port_of(await listeners.start(partial(listen, serve_nothing)))
            await try_them(good, silent, absent=await port_of_nobody())
        print("every connection is closed")
        listeners.cancel_scope.cancel()


async def try_them(good: int, silent: int, absent: int) -> None:
    print("all at once:", await all_at_once(absent, silent, good))
    print("one after the other:", await one_after_the_other(silent, good, wait=0.05))
    print("the first is good:", await one_after_the_other(good, silent, wait=60.0))
    try:
        await all_at_once(absent, absent)
    except* TaskExit as failed:
        reasons = [type(failure.__cause__).__name__ for failure in failed.exceptions]
        print(f"{failed.message}: {', '.join(reasons)}")
    try:
        await all_at_once(absent, silent, timeout=0.1)
    except TaskTimeout:
        print("no answer in time")


def port_of(listeners: list[trio.SocketListener]) -> int:
    port: int = listeners[0].socket.getsockname()[1]
    return port


async def port_of_nobody() -> int:
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with listener:
        return port_of([listener])


if __name__ == "__main__":
    trio.run(main)
