"""A message of a pipeline: a user's data, where it goes, and how its source hears of its end.

Elixir: ``Broadway.Message``. A message never changes: what a callback does to it is a changed copy,
which still is the same message. So a pipeline knows what a callback gave back and what it forgot.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Hashable, Mapping
from types import MappingProxyType
from typing import Any, Final, Generic, TypeAlias, TypeGuard, TypeVar, cast

import msgspec

from runtime.containment import short_repr
from supervisors.pipeline.holding import Holding

T_co = TypeVar("T_co", covariant=True)
U = TypeVar("U")

DEFAULT_BATCHER: Final = "default"
"""The batcher of a message for which none was chosen."""
DEFAULT_KEY: Final = "default"
"""The batch key of a message for which none was chosen."""

AnyMessage: TypeAlias = "Message[Any]"
"""A message whatever its data is: callbacks may change that."""

_NO_METADATA: Final[Mapping[str, object]] = MappingProxyType({})


class Acknowledger(ABC):
    """Hears of the end of messages. ``ack`` and ``give_back`` may be ``def`` or ``async def``.

    Elixir: ``Broadway.Acknowledger``.
    """

    @abstractmethod
    def ack(
        self, reference: Any, successful: list[Message[Any]], failed: list[Message[Any]]
    ) -> Awaitable[None] | None:
        """These have come to an end, each list in the order they were handled in.

        Runs in the stage that has finished with them, so a slow one holds its stage up. If it is
        cancelled or raises, the messages count as not acknowledged and are given back; that it
        raised is told as ``AcknowledgerFailed``.
        """

    def give_back(self, reference: Any, messages: list[Message[Any]]) -> Awaitable[None] | None:
        """These were under way and are no more, neither handled nor failed: to be sent again.

        They are as they left the source, with holdings of their own (``anew``), so that a source
        may emit them as they are. By default nothing happens: right for a source that sends again
        by itself what was not acknowledged for long enough.
        """
        return None

    def configure(self, reference: Any, receipt: Any, options: Mapping[str, object]) -> object:
        """The receipt changed by ``options``, which a handler gave; by default refused."""
        raise TypeError(f"{type(self).__name__} has no options: its class defines no configure()")


class Unacknowledged(Acknowledger):
    """Nobody is told. Elixir: ``Broadway.NoopAcknowledger``."""

    def ack(self, reference: object, successful: object, failed: object) -> None:
        """Nothing."""


UNACKNOWLEDGED: Final = Unacknowledged()
"""The acknowledger of a message that has none."""


class Message(msgspec.Struct, Generic[T_co], frozen=True, eq=False):
    """One message. Equal only to itself, and its copies are others.

    - ``data``: the user's.
    - ``acknowledger``, ``reference``: whom to tell of its end; all messages with the same two are
      told of in one call. ``receipt``: what that needs to know of this one.
    - ``metadata``: what else the source says about it.
    - ``batcher``, ``batch_key``: where it is to go; ``is_flush``: its batch is to leave at once.
    - ``failure``: ``None``, or why it has failed: any value or an exception.
    - ``holding``: its identity, shared by all copies.
    """

    data: T_co
    acknowledger: Acknowledger = UNACKNOWLEDGED
    reference: Hashable = None
    receipt: object = None
    metadata: Mapping[str, object] = _NO_METADATA
    batcher: str = DEFAULT_BATCHER
    batch_key: Hashable = DEFAULT_KEY
    is_flush: bool = False
    failure: object | None = None
    holding: Holding = msgspec.field(default_factory=Holding)

    def __repr__(self) -> str:
        """Without what is as ever."""
        failure = "" if self.failure is None else f", failed: {short_repr(self.failure)}"
        return f"<Message {short_repr(self.data)}{failure}>"

    def replace(self, data: U) -> Message[U]:
        """With other data."""
        return msgspec.structs.replace(cast("Message[U]", self), data=data)

    def with_metadata(self, **metadata: object) -> Message[T_co]:
        """With these added to what the source says."""
        return msgspec.structs.replace(self, metadata={**self.metadata, **metadata})

    def to_batcher(self, batcher: str) -> Message[T_co]:
        """To go to this batcher. Elixir: ``put_batcher/2``."""
        if not isinstance(batcher, str):
            raise TypeError(f"batcher: got {short_repr(batcher)}, allowed is a name of a batcher")
        return msgspec.structs.replace(self, batcher=batcher)

    def batch_by(self, key: Hashable) -> Message[T_co]:
        """To be in one batch only with messages of the same key. Elixir: ``put_batch_key/2``."""
        try:
            hash(key)
        except TypeError as exc:
            raise TypeError(f"key: got {short_repr(key)}, allowed is what can be hashed") from exc
        return msgspec.structs.replace(self, batch_key=key)

    def flush(self) -> Message[T_co]:
        """The batch with it leaves as soon as those that come with it are in it.

        Elixir: ``put_batch_mode/2``.
        """
        return msgspec.structs.replace(self, is_flush=True)

    def fail(self, reason: object) -> Message[T_co]:
        """Failed, for this reason, which is any value but ``None``. Elixir: ``failed/2``."""
        if reason is None:
            raise TypeError("reason: got None, allowed is what says why: a text, an exception")
        return msgspec.structs.replace(self, failure=reason)

    def configure_ack(self, **options: object) -> Message[T_co]:
        """Its acknowledger takes these options for this message. Elixir: ``configure_ack/2``.

        ``TypeError`` from an acknowledger that has none.
        """
        receipt = self.acknowledger.configure(self.reference, self.receipt, options)
        return msgspec.structs.replace(self, receipt=receipt)

    def anew(self, whole: Holding | None = None) -> Message[T_co]:
        """A copy with a holding of its own, ``Holding(whole)``: another message from now on.

        For sending one again that was given back; with ``whole`` for one of several groups.
        """
        return msgspec.structs.replace(self, holding=Holding(whole))

    def with_acknowledger(self, acknowledger: Acknowledger) -> Message[T_co]:
        """The same, to be acknowledged elsewhere."""
        return msgspec.structs.replace(self, acknowledger=acknowledger)


def is_message(value: object) -> TypeGuard[AnyMessage]:
    """Whether it is one, of whatever."""
    return isinstance(value, Message)
