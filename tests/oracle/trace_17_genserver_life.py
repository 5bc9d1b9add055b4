"""17_genserver_life.exs: how a server starts, waits, is told to end, and is looked into."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias

import trio

from runtime import (
    Call,
    Cast,
    ChildSpec,
    Continue,
    Exit,
    ExitReason,
    GenServer,
    Idle,
    Ignore,
    Normal,
    ProcessExit,
    Ref,
    Reply,
    Stop,
    exit,
    get_state,
    handles,
    is_alive,
    monitor,
    receive,
    replace_state,
    resume,
    self_,
    send,
    spawn,
    start,
    start_link,
    suspend,
    trap_exits,
    whereis,
)
from tests.oracle.rendering import Thrown, say
from tests.oracle.trace import (
    Trace,
    answer,
    attempt,
    await_down,
    died,
    flush,
    refusal,
    settle,
    wait_for,
)

Callback: TypeAlias = Callable[["Server"], Any]
"""What a callback does with its server, whose ``state`` is Elixir's; returns what it returns."""


class DoCall(Call[Any]):
    """Do this in ``handle_call``."""

    fn: Callback


class Do(Cast):
    """Do this in ``handle_cast``."""

    fn: Callback


class Server(GenServer):
    """All its callbacks are given from outside, but for ``handle_info`` and ``terminate``."""

    def __init__(self, trace: Trace, begin: Callback) -> None:
        self.trace = trace
        self.begin = begin
        self.state: Any = None

    def init(self) -> Any:
        return self.begin(self)

    @handles(DoCall)
    def do_call(self, request: DoCall) -> Any:
        return request.fn(self)

    @handles(Do)
    def do(self, message: Do) -> Any:
        return message.fn(self)

    def handle_continue(self, arg: Callback) -> Any:
        return arg(self)

    def handle_info(self, message: object) -> None:
        self.trace.out(f"info {say(message)}")

    def terminate(self, reason: ExitReason) -> None:
        self.trace.out(f"terminate {say(reason)} state {say(self.state)}")


# ---------------------------------------------------------------------- callbacks


def ok(state: object, then: Continue | Idle | None = None) -> Callback:
    """Elixir: ``{:ok, state, then}``."""

    def begin(server: Server) -> Continue | Idle | None:
        server.state = state
        return then

    return begin


def returning(result: object) -> Callback:
    return lambda _server: result


def raising(error: BaseException) -> Callback:
    def callback(_server: Server) -> None:
        raise error

    return callback


async def slow_init(server: Server) -> None:
    await trio.sleep(0.5)
    server.state = 0


def stop_with_state_2(server: Server) -> Stop:
    server.state = 2
    return Stop("bye")


def throw_a_return(server: Server) -> None:
    raise Thrown(("noreply", server.state + 41))


def reply_the_state(server: Server) -> Reply[Any]:
    return Reply(server.state)


def plus_100(attributes: dict[str, Any]) -> dict[str, Any]:
    return {**attributes, "state": attributes["state"] + 100}


async def state_of(p: Ref) -> Any:
    return (await get_state(p))["state"]


# ---------------------------------------------------------------------- the scenario


async def scenario(trace: Trace) -> None:
    await starts(trace)
    await continues(trace)
    await idles(trace)
    await ends(trace)
    await looked_into(trace)
    trace.out("-- stop waits for messages that were already queued")
    p = await start(Server.child_spec(trace, ok(0)))
    for i in (1, 2, 3):
        p.send(("job", i))
    trace.out(f"stop {say(await answer(p.stop()))}")


async def starts(trace: Trace) -> None:
    out = trace.out

    def server(begin: Callback) -> ChildSpec:
        return Server.child_spec(trace, begin)

    out("-- init outcomes (start without link)")
    outcomes = {
        "stop": returning(Stop("why")),
        "stop_normal": returning(Stop(Normal())),
        "ignore": returning(Ignore()),
        "raise": raising(RuntimeError("init")),
        "exit": raising(ProcessExit("quit")),
        "throw_bad": raising(Thrown("ball")),
        "throw_good": raising(Thrown(Stop("thrown"))),
        "bad": returning("nonsense"),
    }
    for name, begin in outcomes.items():
        out(f"{name} {say(await answer(start(server(begin))))}")
    out(f"timeout {say(await answer(start(server(slow_init), timeout=0.03)))}")
    out("-- start_link failure reaches a trapping parent as EXIT too; a non trapping one dies")
    refused = server(returning(Stop("why")))
    result = await answer(start_link(refused))
    exits = [one.reason for one in await flush(30) if isinstance(one, Exit)]
    out(f"{say(result)} exits {say(exits)}")

    async def parent() -> None:
        await answer(start_link(refused))
        out("not reached")

    out(f"parent died {say(await died(parent))}")
    out("-- name: held during init, freed after failure, conflict leaves init unrun")

    def look_and_stop(_server: Server) -> Stop:
        out(f"in init whereis self {say(whereis('nm') is self_())}")
        return Stop("x")

    def never(_server: Server) -> None:
        out("never")

    await answer(start(server(look_and_stop).replace(name="nm")))
    out(f"after failure {say(whereis('nm'))}")
    p = await start(server(ok(0)).replace(name="nm"))
    q = refusal(await answer(start(server(never).replace(name="nm"))), "already_started")
    out(f"already_started same {say(p.pid is q)}")


async def continues(trace: Trace) -> None:
    out = trace.out
    out("-- continue runs before anything already in the mailbox, and chains")

    def first(server: Server) -> Continue:
        out(f"continue 1 {say(server.state)}")
        server.state += 1
        return Continue(second)

    def second(server: Server) -> None:
        out(f"continue 2 {say(server.state)}")
        server.state += 1

    async def later(_server: Server) -> None:
        await settle(30)
        out("continue after reply")

    def begin(server: Server) -> Continue:
        send(self_(), "first_message")
        server.state = 0
        return Continue(first)

    p = await start(Server.child_spec(trace, begin))
    await settle(30)
    out(f"state {say(await state_of(p))}")
    r = await p.call(DoCall(returning(Reply("answer", then=Continue(later)))))
    out(f"got {say(r)}")
    await settle(60)


async def idles(trace: Trace) -> None:
    out = trace.out
    out(
        "-- timeout in return values: fires when idle, cancelled by any message, "
        "0 loses to a queued message"
    )

    def queued(server: Server) -> Idle:
        send(self_(), "queued")
        server.state = 0
        return Idle(0)

    await start(Server.child_spec(trace, ok(0, Idle(0.02))))
    await settle(50)
    p = await start(Server.child_spec(trace, ok(0, Idle(0.05))))
    p.send("busy")
    await settle(100)
    await start(Server.child_spec(trace, queued))
    await settle(30)
    await start(Server.child_spec(trace, ok(0, Idle(0))))
    await settle(30)


async def parent_case(trace: Trace, label: str, trap: bool, reason: ExitReason) -> None:
    me = self_()

    def begin(server: Server) -> None:
        trap_exits(trap)
        server.state = label

    async def parent() -> None:
        send(me, ("p", await start_link(Server.child_spec(trace, begin))))
        await wait_for("die")
        raise ProcessExit(reason)

    par = spawn(parent)
    _, p = await receive(tuple)
    m = monitor(p)
    send(par, "die")
    down = await await_down(m, 60)
    trace.out(f"{label} {'alive' if down == 'still_alive' else f'down {say(down)}'}")


async def ends(trace: Trace) -> None:
    out = trace.out
    out(
        "-- terminate: parent exit only when trapping; other exits are info; "
        "raises in a callback; stop"
    )
    await parent_case(trace, "trap_boom", True, "boom")
    await parent_case(trace, "trap_normal", True, Normal())
    await parent_case(trace, "notrap_boom", False, "boom")
    await parent_case(trace, "notrap_normal", False, Normal())

    def trapping(server: Server) -> None:
        trap_exits()
        server.state = 0

    p = await start(Server.child_spec(trace, trapping))
    exit(p, "stranger")
    await settle(20)
    out(f"alive {say(is_alive(p))}")
    p.cast(Do(raising(RuntimeError("cast"))))
    await settle(30)
    out(f"alive {say(is_alive(p))}")
    p = await start(Server.child_spec(trace, ok(1)))
    p.cast(Do(stop_with_state_2))
    await settle(30)
    p = await start(Server.child_spec(trace, ok(1)))
    p.cast(Do(returning(("wrong",))))
    await settle(30)
    p = await start(Server.child_spec(trace, ok(1)))
    p.cast(Do(throw_a_return))
    out(f"thrown return used as state {await attempt(partial(state_of, p))}")


async def looked_into(trace: Trace) -> None:
    """What the server that was thrown at goes on with in Elixir; here it has ended."""
    out = trace.out
    p = await start(Server.child_spec(trace, ok(42)))
    out("-- suspend, resume, replace")
    await suspend(p)
    p.send("while_suspended")
    await settle(30)
    called = await attempt(partial(p.call, DoCall(reply_the_state), timeout=0.02))
    out(f"suspended: state {say(await state_of(p))} call {called}")
    await resume(p)
    await settle(30)
    replaced = (await replace_state(p, plus_100))["state"]
    out(f"replace {say(replaced)} get {say(await state_of(p))}")
    m = monitor(p)
    await p.stop("enough")
    out(f"down {say(await await_down(m))}")
