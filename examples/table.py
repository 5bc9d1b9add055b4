"""Sessions that every request reads and one server writes: a table, its owner and its heir.

Requests look a session up where it is, without a message. ``Sessions`` owns the table and writes
it; when it crashes, ``Vault`` inherits the table before anybody hears of the crash, and lends it to
the next incarnation, so nobody is logged out.
"""

import trio

from runtime import (
    Call,
    GenServer,
    Pid,
    Table,
    TableTransfer,
    handles,
    kill,
    named,
    receive,
    self_,
    wait_exit,
)
from supervisors import open_supervisor


class Lend(Call[None]):
    """Give the table to a process."""

    to: Pid


class Login(Call[str]):
    """Begin a session and reply with its token; it lasts `ttl` seconds, by default an hour."""

    user: str
    ttl: float | None = None


class Vault(GenServer):
    def init(self) -> None:
        self.table = Table[str, str]("sessions", ttl=3600.0, heir=self_())

    @handles(Lend)
    def lend(self, request: Lend) -> None:
        self.table.give_away(request.to)

    @handles(TableTransfer)
    def inherited(self, message: TableTransfer[str, str]) -> None:
        """`Sessions` has ended; its next incarnation will ask."""


class Sessions(GenServer):
    async def init(self) -> None:
        await named("vault").call(Lend(self_()))
        transfer: TableTransfer[str, str] = await receive(TableTransfer)
        self.sessions = transfer.table

    @handles(Login)
    def login(self, request: Login) -> str:
        token = f"token of {request.user}"
        self.sessions.insert(token, request.user, ttl=request.ttl)
        return token


def who_is(token: str) -> str:
    """What each request asks: no await, no message, whichever process owns the table."""
    return Table[str, str].named("sessions").lookup(token, "nobody")


children = [
    Vault.child_spec().replace(name="vault"),
    Sessions.child_spec().replace(name="sessions"),
]


async def main() -> None:
    async with open_supervisor(children, instruments=[]) as supervisor:  # without crash reports
        ann = await named("sessions").call(Login("ann"))
        bob = await named("sessions").call(Login("bob", ttl=0.01))
        await trio.sleep(0.02)
        print(f"{ann}: {who_is(ann)}, {bob}: {who_is(bob)}")

        crashed = named("sessions").pid
        kill(crashed)
        await wait_exit(crashed)
        print(f"{ann}: {who_is(ann)}")  # it is down, the table is not
        await supervisor.which_children()  # answered when it has been restarted
        await named("sessions").call(Login("cyd"))
        print(Table[str, str].named("sessions").items())


if __name__ == "__main__":
    trio.run(main)
