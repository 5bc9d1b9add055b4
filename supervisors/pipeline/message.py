"""A message of a pipeline: a user's data, where it goes, and how its source hears of its end.

Elixir: ``Broadway.Message``. A message never changes; the methods return changed copies.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from supervisors.pipeline.holding import Holding

if TYPE_CHECKING:
    from supervisors.pipeline.acknowledger import Acknowledger

T_co = TypeVar("T_co", covariant=True)
U = TypeVar("U")

DEFAULT_BATCHER = "default"


class Message(Generic[T_co]):
    """One message.

    - ``data``: the user's.
    - ``acknowledger``, ``reference``: whom to tell of its end; all messages with the same two are
      told of in one call. ``receipt``: what that needs to know of this one.
    - ``metadata``: what else the source says about it.
    - ``batcher``, ``batch_key``: where it is to go; ``is_flush``: its batch is to leave at once.
    - ``failure``: ``None``, or why it has failed: any value or an exception.
    - ``holding``: its identity, shared by all copies.
    """

    data: T_co
    acknowledger: Acknowledger
    reference: Hashable
    receipt: object
    metadata: Mapping[str, Any]
    batcher: str
    batch_key: Hashable
    is_flush: bool
    failure: object | None
    holding: Holding

    def replace(self, data: U) -> Message[U]:
        """With other data."""
        raise NotImplementedError

    def with_metadata(self, **metadata: object) -> Message[T_co]:
        """With these added to what the source says."""
        raise NotImplementedError

    def to_batcher(self, batcher: str) -> Message[T_co]:
        """To go to this batcher."""
        raise NotImplementedError

    def batch_by(self, key: Hashable) -> Message[T_co]:
        """To be in one batch only with messages of the same key."""
        raise NotImplementedError

    def flush(self) -> Message[T_co]:
        """The batch with it leaves as soon as those that come with it are in it."""
        raise NotImplementedError

    def fail(self, reason: object) -> Message[T_co]:
        """Failed, for this reason (not ``None``)."""
        raise NotImplementedError

    def anew(self, whole: Holding | None = None) -> Message[T_co]:
        """A copy with a holding of its own, ``Holding(whole)``: another message from now on.

        For sending one again that was given back; with ``whole`` for one of several groups.
        """
        raise NotImplementedError

    def with_acknowledger(self, acknowledger: Acknowledger) -> Message[T_co]:
        """The same, to be acknowledged elsewhere."""
        raise NotImplementedError
