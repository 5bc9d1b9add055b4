"""What the checkers know about callbacks and ``@handles``."""

from __future__ import annotations

from runtime import (
    Call,
    Cast,
    CastResult,
    Continue,
    Down,
    ExitReason,
    GenServer,
    Idle,
    Ignore,
    InitResult,
    NoReply,
    Reply,
    ReplyTo,
    Stop,
    handles,
)


class Get(Call[int]):
    """Reply with a number."""


class Find(Call[str | None]):
    """Reply with a name, if there is one."""


class Forget(Call[None]):
    """Reply when it is forgotten."""


class Add(Cast):
    """No reply."""

    by: int = 1


class Tick:
    """Somebody's plain message."""


class Replies(GenServer):
    """Every way a call may be answered."""

    @handles(Get)
    def plain(self, request: Get) -> int:
        return 1

    @handles(Get)
    async def awaited(self, request: Get) -> int:
        return 1

    @handles(Get)
    def with_reply_to(self, request: Get, reply_to: ReplyTo[int]) -> int:
        return 1

    @handles(Get)
    async def awaited_with_reply_to(self, request: Get, reply_to: ReplyTo[int]) -> int:
        return 1

    @handles(Get)
    def with_outcome(self, request: Get) -> Reply[int]:
        return Reply(1, then=Continue())

    @handles(Get)
    def with_one_of_all(self, request: Get) -> int | Reply[int] | NoReply | Stop:
        return Stop(reply=1)

    @handles(Get)
    def later(self, request: Get, reply_to: ReplyTo[int]) -> NoReply:
        return NoReply()

    @handles(Get)
    async def later_awaited(self, request: Get, reply_to: ReplyTo[int]) -> NoReply:
        return NoReply()

    @handles(Get)
    def of_less(self, request: Get) -> bool:
        return True

    @handles(Get)
    def to_less(self, request: Get, reply_to: ReplyTo[bool]) -> int:
        return 1

    @handles(Find)
    def maybe(self, request: Find) -> str | None:
        return None

    @handles(Find)
    async def surely(self, request: Find) -> str:
        return "x"

    @handles(Forget)
    def nothing(self, request: Forget) -> None:
        return None

    @handles(Forget)
    async def nothing_awaited(self, request: Forget) -> None:
        return None


class WrongReplies(GenServer):
    """Replies of another type than the call declares."""

    @handles(Get)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue, reportUntypedFunctionDecorator]
    def plain(self, request: Get) -> str:
        return "1"

    @handles(Get)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue, reportUntypedFunctionDecorator]
    async def awaited(self, request: Get) -> str:
        return "1"

    @handles(Get)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue, reportUntypedFunctionDecorator]
    def with_reply_to(self, request: Get, reply_to: ReplyTo[int]) -> str:
        return "1"

    @handles(Get)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue, reportUntypedFunctionDecorator]
    async def awaited_with_reply_to(self, request: Get, reply_to: ReplyTo[int]) -> str:
        return "1"

    @handles(Get)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue, reportUntypedFunctionDecorator]
    def to_another(self, request: Get, reply_to: ReplyTo[str]) -> NoReply:
        return NoReply()

    @handles(Get)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue, reportUntypedFunctionDecorator]
    async def to_another_awaited(self, request: Get, reply_to: ReplyTo[str]) -> NoReply:
        return NoReply()

    @handles(Get)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue, reportUntypedFunctionDecorator]
    def to_more(self, request: Get, reply_to: ReplyTo[float]) -> int:
        return 1

    @handles(Get)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue, reportUntypedFunctionDecorator]
    def with_outcome(self, request: Get) -> Reply[str]:
        return Reply("1")

    @handles(Get)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue, reportUntypedFunctionDecorator]
    async def with_outcome_awaited(self, request: Get) -> Reply[str]:
        return Reply("1")

    @handles(Get)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue, reportUntypedFunctionDecorator]
    def nothing(self, request: Get) -> None:
        return None

    @handles(Get)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue, reportUntypedFunctionDecorator]
    async def nothing_awaited(self, request: Get) -> None:
        return None

    @handles(Get)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue, reportUntypedFunctionDecorator]
    def perhaps_nothing(self, request: Get) -> int | None:
        return None

    @handles(Get)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue, reportUntypedFunctionDecorator]
    def what_init_returns(self, request: Get) -> Ignore:
        return Ignore()

    @handles(Forget)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue, reportUntypedFunctionDecorator]
    def something(self, request: Forget) -> int:
        return 1

    @handles(Get)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue, reportUntypedFunctionDecorator]
    def of_no_request(self) -> int:
        return 1

    @handles(Get)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue, reportUntypedFunctionDecorator]
    def of_too_much(self, request: Get, reply_to: ReplyTo[int], more: int) -> int:
        return 1


class Messages(GenServer):
    """Every way a cast or another message may be handled."""

    @handles(Add)
    def plain(self, message: Add) -> None:
        return None

    @handles(Add)
    async def awaited(self, message: Add) -> None:
        return None

    @handles(Add)
    def with_outcome(self, message: Add) -> Stop | Idle | Continue | NoReply | None:
        return Idle(1)

    @handles(Add)
    async def with_outcome_awaited(self, message: Add) -> CastResult:
        return Stop("done")

    @handles(Down)
    def of_the_runtime(self, message: Down) -> None:
        return None

    @handles(Tick)
    def of_somebody(self, message: Tick) -> None:
        return None


class WrongMessages(GenServer):
    """Casts that are answered as if they were calls."""

    @handles(Add)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue, reportUntypedFunctionDecorator]
    def plain(self, message: Add) -> int:
        return 1

    @handles(Add)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue, reportUntypedFunctionDecorator]
    async def awaited(self, message: Add) -> int:
        return 1

    @handles(Add)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue, reportUntypedFunctionDecorator]
    def with_outcome(self, message: Add) -> Reply[int]:
        return Reply(1)

    @handles(Add)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue, reportUntypedFunctionDecorator]
    def with_reply_to(self, message: Add, reply_to: ReplyTo[int]) -> None:
        return None

    @handles(Tick)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType, reportCallIssue, reportUntypedFunctionDecorator]
    def of_somebody(self, message: Tick) -> str:
        return ""

    @handles(Add, Tick)  # type: ignore[call-overload, untyped-decorator]  # pyright: ignore[reportCallIssue, reportUntypedFunctionDecorator]
    def of_several(self, message: Add | Tick) -> None:
        return None

    @handles(Add | Tick)  # type: ignore[arg-type]
    def of_a_union(self, message: Add | Tick) -> None:
        return None

    @handles(5)  # type: ignore[call-overload, untyped-decorator]  # pyright: ignore[reportArgumentType, reportCallIssue, reportUntypedFunctionDecorator]
    def of_no_class(self, message: int) -> None:
        return None

    @handles  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType, reportCallIssue, reportUntypedFunctionDecorator]
    def of_nothing(self, message: Add) -> None:
        return None


class Callbacks(GenServer):
    """OTP's own callbacks may narrow what they take, and be ``def`` or ``async def``."""

    def init(self) -> InitResult:
        return Ignore()

    def handle_call(self, request: Get, reply_to: ReplyTo[int]) -> int:
        return 1

    def handle_cast(self, message: Add) -> None:
        return None

    def handle_info(self, message: Down | Tick) -> Idle:
        return Idle(1)

    def handle_continue(self, arg: str) -> None:
        return None

    def terminate(self, reason: ExitReason) -> None:
        return None


class AsyncCallbacks(GenServer):
    """The same, awaited."""

    async def init(self) -> Continue:
        return Continue()

    async def handle_call(self, request: Get | Find, reply_to: ReplyTo[int]) -> NoReply:
        return NoReply()

    async def handle_cast(self, message: Add) -> CastResult:
        return None

    async def handle_info(self, message: object) -> Stop:
        return Stop()

    async def handle_continue(self, arg: object) -> None:
        return None

    async def terminate(self, reason: ExitReason) -> None:
        return None


class WrongCallbacks(GenServer):
    """Callbacks that could never work."""

    def init(self, start: int) -> None:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        return None

    def handle_call(self, request: Get) -> int:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        return 1

    def handle_cast(self, message: Add) -> int:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        return 1

    def handle_info(self, message: Tick) -> Reply[int]:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        return Reply(1)

    def handle_continue(self) -> None:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        return None

    def terminate(self) -> None:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        return None


class WrongAsyncCallbacks(GenServer):
    """The same, awaited."""

    async def init(self) -> int:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        return 1

    async def handle_cast(self, message: Add) -> str:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        return ""
