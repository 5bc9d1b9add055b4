"""A server that validates tokens and stays responsive: each validation is a task of its own.

    python examples/token_validation.py

``Tokens`` starts a task for each token, puts its reply off and goes on; the reply follows when the
task has ended. It started the task, so it is told by one message: ``TaskDone`` with what the task
returned, or ``Down`` if it failed, which harms nobody, as the task is not linked. When so many are
under way that the task supervisor is full, it refuses at once instead of letting clients queue up.

The key authority is at the other end of a network. Here ``main`` plays it, at its leisure.
"""

import hashlib
import hmac
from typing import NamedTuple

import trio

from runtime import (
    Call,
    Down,
    GenServer,
    MonitorRef,
    NoReply,
    ReplyTo,
    TaskDone,
    handles,
    named,
)
from supervisors import MaxChildren, TaskSupervisor, TaskSupervisorRef, open_supervisor


class Validate(Call[str]):
    """Reply with the user whose token it is, or with ``nobody``."""

    token: str


class UnderWay(Call[int]):
    """Reply with the number of validations under way."""


class TryLater(Exception):
    """The token was not validated: it may be good or bad."""


class Tokens(GenServer):
    def __init__(self) -> None:
        self.clients: dict[MonitorRef, ReplyTo[str]] = {}

    @handles(Validate)
    async def validate(self, request: Validate, reply_to: ReplyTo[str]) -> NoReply:
        try:
            task = await TaskSupervisorRef("validations").start_nolink(validate, request.token)
        except MaxChildren:
            reply_to.error(TryLater("too many at once"))
        else:
            self.clients[task.ref] = reply_to
        return NoReply()

    @handles(TaskDone)
    def validated(self, message: TaskDone[str]) -> None:
        self.clients.pop(message.task.ref).reply(message.value)

    @handles(Down)
    def failed(self, message: Down) -> None:
        self.clients.pop(message.ref).error(TryLater("the authority did not answer"))

    @handles(UnderWay)
    def under_way(self, request: UnderWay) -> int:
        return len(self.clients)


def sign(user: str, key: bytes) -> str:
    return f"{user}:{hmac.new(key, user.encode(), hashlib.sha256).hexdigest()}"


async def validate(token: str) -> str:
    """What a task does: get the key, then look at the signature."""
    user = token.partition(":")[0]
    key = await key_of(user)
    return user if hmac.compare_digest(sign(user, key), token) else "nobody"


class Inquiry(NamedTuple):
    """How the authority is asked; it answers by ``send``, and closes if it has no answer."""

    user: str
    answer: trio.MemorySendChannel[bytes]


ask, asked = trio.open_memory_channel[Inquiry](0)


async def key_of(user: str) -> bytes:
    answer, answered = trio.open_memory_channel[bytes](1)
    await ask.send(Inquiry(user, answer))
    return await answered.receive()


async def login(token: str) -> str:
    """What a client gets."""
    try:
        return await named("tokens").call(Validate(token))
    except TryLater as error:
        return f"try later: {error}"


async def under_way() -> int:
    return await named("tokens").call(UnderWay())


children = [
    TaskSupervisor.child_spec(max_children=3).replace(name="validations"),
    Tokens.child_spec().replace(name="tokens"),
]


async def main() -> None:
    key = b"secret"
    said: dict[str, str] = {}

    async def client(user: str, token: str) -> None:
        said[user] = await login(token)

    async with open_supervisor(children, instruments=[]):  # without crash reports
        async with trio.open_nursery() as clients:
            clients.start_soon(client, "ann", sign("ann", key))
            of_ann = await asked.receive()
            clients.start_soon(client, "bob", sign("bob", b"guessed"))
            of_bob = await asked.receive()
            clients.start_soon(client, "cyd", sign("cyd", key))
            of_cyd = await asked.receive()

            print(f"{await under_way()} under way, and the server answers")
            print(f"dan: {await login(sign('dan', key))}")

            await of_bob.answer.send(key)
            of_cyd.answer.close()  # the authority hangs up
            await of_ann.answer.send(key)
        for user in ("ann", "bob", "cyd"):
            print(f"{user}: {said[user]}")
        print(f"{await under_way()} under way")


if __name__ == "__main__":
    trio.run(main)
