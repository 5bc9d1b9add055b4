"""A page made of what several services answer; one that fails costs its field and not the page.

    python examples/aggregator.py

In Elixir: ``Task.Supervisor.async_nolink`` for each field, then ``Task.yield_many``. All services
are asked at once, each with as much time as its field is worth. The tasks are linked to nobody, so
a crash stays in its own task and comes out as an outcome, which says why the field is missing.

Take it where half a page is better than none. Where every part is needed, ``result_many`` raises as
soon as one has failed; a plain Trio nursery does too, and ends the others.

Two limits. A page waits for a second, after which users have gone; what is not there by then is
killed, and its connection closed. And there are 50 tasks at most: ten pages of five fields, as ten
requests at once is what the weakest service can bear. Beyond that a field is refused at once, which
is one more reason for it to be missing, and spares services that are slow already.
"""

from contextlib import suppress
from functools import partial
from http import HTTPStatus
from typing import NamedTuple

import httpx2
import trio

from runtime import Crashed, Exited, Ok, Outcome, Task, wait_many
from supervisors import MaxChildren, TaskSupervisor, TaskSupervisorRef, open_supervisor

PAGE_TIMEOUT = 1.0
LIMIT = 50


class Field(NamedTuple):
    name: str
    url: str
    timeout: float


children = [TaskSupervisor.child_spec(max_children=LIMIT).replace(name="fields")]
tasks = TaskSupervisorRef("fields")


async def fetch(client: httpx2.AsyncClient, field: Field) -> str:
    """One field. Every error is a crash of this task alone."""
    with trio.fail_after(field.timeout):
        response = await client.get(field.url)
    response.raise_for_status()
    return response.text


async def page(client: httpx2.AsyncClient, fields: list[Field]) -> list[str]:
    """The lines of a page, in the order of its fields."""
    asked: dict[Field, Task[str]] = {}
    for field in fields:
        with suppress(MaxChildren):
            asked[field] = await tasks.start_nolink(fetch, client, field)
    ends = await wait_many(asked.values(), timeout=PAGE_TIMEOUT, on_timeout="kill_task")
    lines = dict.fromkeys(fields, "missing, too many requests at once")
    for field, end in zip(asked, ends, strict=True):
        lines[field] = shown(end)
    return [f"{field.name}: {line}" for field, line in lines.items()]


def shown(outcome: Outcome[str] | None) -> str:
    match outcome:
        case Ok(text):
            return text
        case None:
            return "missing, the page could not wait any longer"
        case Exited(Crashed(trio.TooSlowError())):
            return "missing, no answer in its time"
        case Exited(Crashed(httpx2.HTTPStatusError() as error)):
            return f"missing, the service answered {error.response.status_code}"
        case Exited(Crashed(httpx2.ConnectError())):
            return "missing, nobody is there"
        case Exited(reason):
            return f"missing, {reason}"


# ---------------------------------------------------------------------- the services


async def serve(status: HTTPStatus, text: str, delay: float, stream: trio.SocketStream) -> None:
    """Answer one request, after a while."""
    async with stream:
        request = b""
        async for chunk in stream:
            request += chunk
            if b"\r\n\r\n" in request:
                break
        await trio.sleep(delay)
        head = f"HTTP/1.1 {status} {status.phrase}\r\nConnection: close\r\n"
        await stream.send_all(f"{head}Content-Length: {len(text)}\r\n\r\n{text}".encode())


async def start_service(
    nursery: trio.Nursery, text: str, status: HTTPStatus = HTTPStatus.OK, delay: float = 0.0
) -> str:
    listening = partial(trio.serve_tcp, partial(serve, status, text, delay), 0, host="127.0.0.1")
    listeners: list[trio.SocketListener] = await nursery.start(listening)
    return url_of(listeners[0])


async def url_of_nobody() -> str:
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with listener:
        return url_of(listener)


def url_of(listener: trio.SocketListener) -> str:
    return f"http://127.0.0.1:{listener.socket.getsockname()[1]}/"


async def main() -> None:
    async with trio.open_nursery() as nursery:
        fields = [
            Field("name", await start_service(nursery, "Ann"), timeout=0.9),
            Field("orders", await start_service(nursery, "17, 18", delay=60), timeout=0.2),
            Field("prices", await start_service(nursery, "", HTTPStatus(500)), timeout=0.9),
            Field("reviews", await url_of_nobody(), timeout=0.9),
            Field("news", await start_service(nursery, "rain", delay=60), timeout=60),
        ]
        # without instruments no crash is logged: here each is shown on the page
        client = httpx2.AsyncClient(trust_env=False)
        async with client, open_supervisor(children, instruments=[]):
            print("\n".join(await page(client, fields)))
            for _ in range(LIMIT):  # others have all the tasks there may be
                await tasks.start_nolink(trio.sleep_forever)
            print("\n".join(await page(client, fields[:1])))
        nursery.cancel_scope.cancel()


if __name__ == "__main__":
    trio.run(main)
