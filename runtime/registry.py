"""A registry: processes by keys of any kind, one or several for a key. OTP: ``Registry``.

The hard choice is that nothing asks the registry's process: who registers, looks up or dispatches
reads and changes its tables where they are. All of it lives in one thread and nothing awaits in
between, so every operation is atomic, has happened when it returns, and costs a few dict lookups
instead of two task switches. The process is there for its life: its end is the end of its entries
and, through links, of those who made them. The cost: a handle works only inside its node. What
would change our mind: registries that span several of them.

Entries are claims (``process.claim``): a registrant's death takes them back before anybody hears
of it, and the link with them, so there are no stale entries and no exits to be cleaned up after.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import Any, ClassVar, Literal, TypeAlias, cast, get_args

import msgspec
import trio
from trio.lowlevel import enable_ki_protection

from runtime.bodies import TrapMode
from runtime.calls import Ref
from runtime.containment import short_repr, show
from runtime.errors import AlreadyStarted, ProcessNotFound, UnhandledMessage
from runtime.exits import SHUTDOWN, ExitReason, is_abnormal
from runtime.gen_server import GenServer
from runtime.handlers import handles
from runtime.inspection.views import Plain
from runtime.keys import exact_key
from runtime.messages import Call, Cast, Exit
from runtime.outcomes import NoReply
from runtime.pending_calls import ReplyTo
from runtime.pid import Pid
from runtime.process import Process
from runtime.process_table import check_name
from runtime.registry_entries import Entries, Entry, Row
from runtime.server_body import ServerBody
from runtime.via import Directory

RegistryKeys: TypeAlias = Literal["unique", "duplicate"]
"""How many entries a key may have: one, or any number."""


class Registered(msgspec.Struct, frozen=True):
    """To a registry's listeners: an entry was made. ``registry`` is its name, else its pid."""

    registry: str | Pid
    key: Hashable
    pid: Pid
    value: object


class Unregistered(msgspec.Struct, frozen=True):
    """To a registry's listeners: ``pid`` has given up ``key``. There is none for a death."""

    registry: str | Pid
    key: Hashable
    pid: Pid


class RegistryBody(ServerBody):
    """A server's body that ends the entries with the process."""

    __slots__ = ()

    trap: TrapMode = "not parent"

    async def live(self, process: Process) -> ExitReason:
        """Serve. The links take registrants down with it, but for a normal end, where this does."""
        process.claim(self)
        reason = await super().live(process)
        ended = reason if process.exiting is None else process.exiting
        if isinstance(self.server, Registry) and not is_abnormal(ended):
            self.server.shut_registrants_down()
        return reason

    def owner_ended(self, process: Process) -> None:
        """The entries are gone before anybody hears of the registry's end."""
        if isinstance(self.server, Registry):
            self.server.close()


class KeyLock:
    """A lock, and how many hold it or wait for it."""

    __slots__ = ("lock", "users")

    def __init__(self) -> None:
        self.lock = trio.Lock()
        self.users = 0


class Registry(GenServer, Directory):
    """Processes by key. Start it as a child; talk to it through a ``RegistryRef``.

    - ``keys``: ``unique``, one entry per key, or ``duplicate``, any number.
    - ``listeners``: names of processes that get ``Registered`` and ``Unregistered`` messages.
    - ``meta``: what ``RegistryRef.meta`` finds at first.

    A registrant is linked to the registry while it has an entry. Its end removes its entries and
    does not touch the registry; the end of the registry, also a normal one, ends every registrant
    that does not trap exits. OTP: ``Registry.start_link``.
    """

    _body_class: ClassVar[type[ServerBody]] = RegistryBody

    def __init__(
        self,
        keys: RegistryKeys = "unique",
        *,
        listeners: Iterable[str] = (),
        meta: Mapping[str, object] | Mapping[Hashable, object] | None = None,
    ) -> None:
        if keys not in get_args(RegistryKeys):
            raise ValueError(f"keys: got {keys!r}, allowed are 'unique' and 'duplicate'")
        if not (meta is None or isinstance(meta, Mapping)):
            raise TypeError(f"meta: got {short_repr(meta)}, allowed are a mapping and None")
        self.listeners = _check_listeners(listeners)
        self.meta = {exact_key(key): value for key, value in (meta or {}).items()}
        self.entries: Entries[Process] = Entries(unique=keys == "unique")
        self.locks: dict[Hashable, KeyLock] = {}
        self._linked_before: set[Process] = set()  # whose link is not the registry's to remove

    @classmethod
    def _prepare(
        cls, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Check the options when the spec is made; keep them for restarts."""
        if cls is Registry:
            made = cls(*args, **kwargs)
            meta = dict(kwargs.get("meta") or {})
            return args, {**kwargs, "listeners": made.listeners, "meta": meta}
        return args, kwargs

    # -- as a directory ---------------------------------------------------------------------

    def find(self, key: Hashable) -> Process | None:
        """Who is registered under a unique key; see ``via``."""
        self.require_unique("via")
        rows = self.entries.under(key)
        return rows[0].owner if rows else None

    def claim(self, key: Hashable, process: Process, value: object) -> None:
        """Register a process that is about to start; see ``via``."""
        self.require_unique("via")
        taken = self.add(process, key, value)
        if taken is not None:
            raise AlreadyStarted(show(key), taken.pid)

    def require_unique(self, what: str) -> None:
        """Refuse what makes no sense where a key may have several entries."""
        if not self.entries.unique:
            raise TypeError(
                f"{what}: {self._process.pid!r} is a registry of duplicate keys, allowed is one "
                "of unique keys; several processes of a key are found by lookup and dispatch"
            )

    # -- entries ----------------------------------------------------------------------------

    @enable_ki_protection
    def add(self, owner: Process, key: Hashable, value: object) -> Entry[object] | None:
        """Register ``owner``, or return the entry that is in the way."""
        first = not self.entries.holds(owner)
        taken = self.entries.add(owner, owner.pid, key, value)
        if taken is None:
            if first:
                owner.claim(self)
            self._link(owner, first=first)
            if self.listeners:
                self._tell(Registered(self._called, key, owner.pid, value))
        return taken

    @enable_ki_protection
    def remove(self, owner: Process, rows: Iterable[Row[Process]]) -> None:
        """Remove some entries of ``owner``, and its link with the last of them."""
        held = self.entries.holds(owner)
        for row in rows:
            self.entries.remove(row)
        if held and not self.entries.holds(owner):
            owner.drop_claim(self)
            self._unlink(owner)

    def tell_unregistered(self, owner: Process, key: Hashable) -> None:
        """Tell the listeners that ``owner`` has given up ``key``."""
        self._tell(Unregistered(self._called, key, owner.pid))

    def owner_ended(self, process: Process) -> None:
        """A registrant is dead: its entries go, and the link, so that no exit is sent here."""
        self.entries.drop(process)
        self._unlink(process)

    def close(self) -> None:
        """The registry is dead: nobody holds anything of it any more."""
        for owner in self.entries.owners():
            self.entries.drop(owner)
            owner.drop_claim(self)

    def shut_registrants_down(self) -> None:
        """What the links do when the registry crashes, as ``Shutdown``."""
        me = self._process
        for owner in self.entries.owners():
            if owner.links.unlink(me):
                me.links.unlink(owner)
                owner.signal(me.pid, SHUTDOWN)

    def _link(self, owner: Process, *, first: bool) -> None:
        """With every entry: who has unlinked itself meanwhile is linked again."""
        me = self._process
        if owner is me:
            return
        was_linked = owner.links.unlink(me)
        if not was_linked:
            self._linked_before.discard(owner)
        elif first:
            self._linked_before.add(owner)
        owner.links.link(me)
        me.links.link(owner)

    def _unlink(self, owner: Process) -> None:
        if owner in self._linked_before:
            self._linked_before.remove(owner)
        elif owner.links.unlink(self._process):
            self._process.links.unlink(owner)

    def _tell(self, message: object) -> None:
        by_name = self._process.table.by_name
        for name in self.listeners:
            listener = by_name.get(name)
            if listener is not None:
                listener.post_or_drop(message)

    @property
    def _process(self) -> Process:
        assert self._loop is not None
        return self._loop.process

    @property
    def _called(self) -> str | Pid:
        return self._process.name or self._process.pid

    def facts(self) -> Mapping[str, Plain]:
        """How many entries and keys it has; see ``GenServer.facts``."""
        entries = self.entries
        kind = "unique" if entries.unique else "duplicate"
        return {"keys": kind, "entries": entries.count, "registrants": len(entries.owners())}

    # -- messages ---------------------------------------------------------------------------

    @handles(Call)
    def _refuse_call(self, request: Call[object], reply_to: ReplyTo[object]) -> NoReply:
        """Meant for a registrant; ending them all over it would be the wrong lesson."""
        reply_to.error(
            UnhandledMessage(
                f"a registry does not handle the call {type(request).__name__}; call whom it "
                "has: via(...).call(...)"
            )
        )
        return NoReply()

    @handles(Cast)
    def _ignore_cast(self, message: Cast) -> None:
        """Reported, and nothing else, for the same reason."""
        self._unexpected(message)

    @handles(Exit)
    def _ignore_exit(self, message: Exit) -> None:
        """A stranger's, or of somebody who was linked before it registered."""


def find_registry(ref: Ref) -> Registry:
    """The running registry a handle leads to: the server itself, whose tables are read in place."""
    process = ref.find()
    if process is None:
        raise ProcessNotFound(ref)
    process.check_thread()
    server = process.body.server if isinstance(process.body, ServerBody) else None
    if isinstance(server, Registry):
        return server
    if server is None and process.status == "starting":
        raise ProcessNotFound(ref)
    raise TypeError(f"target: {process.pid!r} is no registry, allowed is a running Registry")


def _check_listeners(listeners: object) -> tuple[str, ...]:
    if isinstance(listeners, str) or not isinstance(listeners, Iterable):
        raise TypeError(f"listeners: got {short_repr(listeners)}, allowed are several names: ['x']")
    names: tuple[object, ...] = tuple(cast("Iterable[object]", listeners))
    return tuple(check_name("listeners", name) for name in names)
