"""Cleaning up many connections when a service stops: so many at a time, each with its own time.

    python examples/connection_cleanup.py

``Connections`` says goodbye to every peer in ``terminate``, by a stream of tasks: ten at once, so
that thirty goodbyes take no longer than three; and half a second each, so that a peer that does not
answer is cut off and holds up nobody. However a task ends, its connection is closed. The task
supervisor is an older sibling, which stops after its younger ones: it is still there. Runs on
loopback.
"""

from collections import Counter
from functools import partial

import trio

from runtime import Crashed, Exited, ExitReason, GenServer, Ok, TimedOut
from supervisors import TaskSupervisor, TaskSupervisorRef, open_supervisor

AT_ONCE = 10
SECONDS = 0.5


class Rude(Exception):
    """Not what one says to a goodbye."""


class Connections(GenServer):
    """Holds connections to a server, as a pool would, until it is told to end."""

    def __init__(self, port: int, count: int) -> None:
        self.port = port
        self.count = count
        self.streams: list[trio.SocketStream] = []

    async def init(self) -> None:
        for number in range(self.count):
            stream = await trio.open_tcp_stream("127.0.0.1", self.port)
            self.streams.append(stream)
            await stream.send_all(f"hello {number}\n".encode())

    async def terminate(self, reason: ExitReason) -> None:
        stream = TaskSupervisorRef("cleanup").async_stream_nolink(
            self.streams, say_goodbye, max_concurrency=AT_ONCE, timeout=SECONDS,
            on_timeout="kill_task",
        )  # fmt: skip
        endings: Counter[str] = Counter()
        async with stream as results:
            async for result in results:
                endings[ending_of(result)] += 1
        for ending, count in sorted(endings.items()):
            print(f"{count:2} {ending}")


async def say_goodbye(stream: trio.SocketStream) -> None:
    """Wait until the peer has said it too and hangs up."""
    async with stream:
        await stream.send_all(b"bye\n")
        answer = b"".join([chunk async for chunk in stream]).decode()
        if answer != "bye\n":
            raise Rude(answer.strip())


def ending_of(result: Ok[None] | Exited[trio.SocketStream]) -> str:
    match result:
        case Ok():
            return "said goodbye"
        case Exited(reason=TimedOut(seconds)):
            return f"cut off after {seconds} s"
        case Exited(reason=Crashed(error)):
            return f"said {error} instead"
        case Exited(reason):
            return repr(reason)


# ---------------------------------------------------------------------- the other side


async def peer(stream: trio.SocketStream) -> None:
    """Most are polite; one in ten does not listen, and one in ten has other things to say."""
    said = ""
    async with stream:
        async for chunk in stream:
            said += chunk.decode()
            hello, _, bye = said.partition("\n")
            if bye == "bye\n" and not hello.endswith("7"):
                await stream.send_all(b"what now?" if hello.endswith("4") else b"bye\n")
                break


async def main() -> None:
    async with trio.open_nursery() as listening:
        async with trio.open_nursery() as peers:
            listen = partial(trio.serve_tcp, peer, 0, host="127.0.0.1", handler_nursery=peers)
            listeners: list[trio.SocketListener] = await listening.start(listen)
            port = listeners[0].socket.getsockname()[1]
            children = [
                TaskSupervisor.child_spec().replace(name="cleanup"),
                Connections.child_spec(port, 30).replace(name="connections", shutdown=10.0),
            ]
            async with open_supervisor(children, instruments=[]):  # without crash reports
                print("30 connections are open, and the service stops")
        print("none is open any more")
        listening.cancel_scope.cancel()


if __name__ == "__main__":
    trio.run(main)
