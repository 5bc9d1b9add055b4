"""Publish and subscribe, on top of a registry of duplicate keys. OTP: ``Phoenix.PubSub``."""

from __future__ import annotations

from typing import Generic, TypeVar

from runtime.calls import Ref
from runtime.child_spec import ChildSpec
from runtime.containment import short_repr
from runtime.current import require_process
from runtime.handle import Handle
from runtime.messages import check_sendable
from runtime.pid import Pid
from runtime.process import Process
from runtime.registry import Registry, find_registry
from runtime.registry_entries import Entry
from runtime.registry_ref import RegistryRef

M_contra = TypeVar("M_contra", contravariant=True)


class PubSub(Handle, Generic[M_contra]):
    """A handle of a bus: ``bus: PubSub[Event] = PubSub("bus")``, whose messages are ``Event``.

    ``PubSub.child_spec("bus")`` is the child behind it: a ``Registry`` whose keys are topics and
    whose entries are subscriptions, so a subscriber's end is the end of its subscriptions, and the
    end of the bus ends every subscriber that does not trap exits. Every operation is synchronous
    and raises ``ProcessNotFound`` if the bus is not running.
    """

    __slots__ = ("_topics",)

    def __init__(self, target: str | Pid | Ref) -> None:
        super().__init__(target)
        self._topics: RegistryRef[str, object] = RegistryRef(self._target)

    @staticmethod
    def child_spec(name: str) -> ChildSpec:
        """A bus of this name, as a child for a supervisor. It comes before its subscribers."""
        return Registry.child_spec("duplicate").replace(name=name)

    def subscribe(self, topic: str, value: object = None) -> None:
        """The calling process gets what is broadcast on ``topic`` from now on, in its mailbox.

        Once per subscription: who subscribes twice gets everything twice. ``value`` is shown by
        ``subscribers``.
        """
        self._bus(topic)
        require_process("subscribe")
        self._topics.register(topic, value)

    def unsubscribe(self, topic: str) -> None:
        """End all the calling process's subscriptions to ``topic``; no error if there is none."""
        self._bus(topic)
        require_process("unsubscribe")
        self._topics.unregister(topic)

    def subscribers(self, topic: str) -> list[Entry[object]]:
        """Who is subscribed, with the value given, in the order of subscribing."""
        self._bus(topic)
        return self._topics.lookup(topic)

    def broadcast(self, topic: str, message: M_contra) -> int:
        """Send ``message`` to every subscription of ``topic``, in their order; how many there are.

        Never blocks and raises for no subscriber: where a mailbox is full and its policy refuses
        the message, that one's copy is dropped, counted and reported.
        """
        return self._send(topic, message, but=None)

    def broadcast_from(self, topic: str, message: M_contra) -> int:
        """``broadcast`` to all but the calling process."""
        return self._send(topic, message, but=require_process("broadcast_from"))

    def _send(self, topic: str, message: M_contra, *, but: Process | None) -> int:
        check_sendable(message)
        rows = self._bus(topic).entries.under(topic)
        receivers = [row.owner for row in rows if row.owner is not but]
        for receiver in receivers:
            receiver.post_or_drop(message)
        return len(receivers)

    def _bus(self, topic: object) -> Registry:
        if not isinstance(topic, str):
            raise TypeError(f"topic: got {short_repr(topic)}, allowed is a string")
        registry = find_registry(self)
        if registry.entries.unique:
            raise TypeError(
                f"target: {self!r} leads to a registry of unique keys, allowed is one of "
                "duplicate keys, as PubSub.child_spec makes it"
            )
        return registry
