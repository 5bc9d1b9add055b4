"""What a registry promises, as plain data: who has which key, who is linked, who hears of what.

Written from section 17 of the contract and from the rows REG-001 to REG-053. Processes are known by
made-up names, ``m1`` for a member and ``r1`` for a registry, and reasons by short texts.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

NOBODY = "NoProcess"

PREDICATES: dict[str, Callable[[object], bool]] = {
    "every value": lambda _: True,
    "no value": lambda _: False,
    "equal to 1": lambda value: value == 1,
    "an int": lambda value: type(value) is int,
}


class Refused(Exception):
    """What an operation raises: the class of the error, and what it says."""


def same(one: object, other: object) -> bool:
    """Whether two keys are one: of the same type and value, inside tuples too (13.2)."""
    if type(one) is not type(other):
        return False
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


@dataclass
class Row:
    """One entry."""

    owner: str
    key: Hashable
    value: object


@dataclass
class RegistryModel:
    """One incarnation of a registry; ``rows`` in the order of registration."""

    pid: str
    called: str
    unique: bool
    listeners: tuple[str, ...]
    meta: list[tuple[Hashable, object]]
    rows: list[Row] = field(default_factory=list[Row])

    def under(self, key: Hashable) -> list[Row]:
        """The rows of a key."""
        return [row for row in self.rows if same(row.key, key)]

    def of(self, owner: str, key: Hashable) -> list[Row]:
        """The rows that a member has under a key."""
        return [row for row in self.under(key) if row.owner == owner]

    def keys(self, owner: str) -> list[Hashable]:
        """The keys of a member, once per row."""
        return [row.key for row in self.rows if row.owner == owner]

    def require_unique(self) -> None:
        """Refuse what makes no sense with several rows under a key."""
        if not self.unique:
            raise Refused("TypeError")

    def find_meta(self, key: Hashable) -> object:
        """What is stored under a key, else ``None``."""
        return next((value for one, value in self.meta if same(one, key)), None)

    def put_meta(self, key: Hashable, value: object) -> None:
        """Store it."""
        self.delete_meta(key)
        self.meta.append((key, value))

    def delete_meta(self, key: Hashable) -> None:
        """Forget it."""
        self.meta = [(one, value) for one, value in self.meta if not same(one, key)]


@dataclass
class Listener:
    """A process of a name. A jar has room for a few messages and reads them when told to."""

    heard: list[str]
    room: int | None = None
    drops_oldest: bool = False
    box: deque[str] = field(default_factory=deque[str])
    dropped: int = 0

    def hear(self, line: str) -> None:
        """A message comes."""
        if self.room is None:
            self.heard.append(line)
            return
        self.box.append(line)
        if len(self.box) > self.room:
            self.dropped += 1
            if self.drops_oldest:
                self.box.popleft()
            else:
                self.box.pop()

    def read(self) -> None:
        """Handle what is there."""
        self.heard.extend(self.box)
        self.box.clear()


class World:
    """Two registries, and the processes around them."""

    def __init__(self) -> None:
        self.running: dict[str, RegistryModel | None] = {"one": None, "two": None}
        self.handles: dict[str, str] = {"one": "None", "two": "None"}  # the pids they stay with
        self.traps: dict[str, bool] = {}  # of the members that are alive
        self.logs: dict[str, list[str]] = {}
        self.links: set[tuple[str, str]] = set()
        self.by_hand: set[tuple[str, str]] = set()  # linked before the first row was made
        self.listeners: dict[str, Listener] = {}
        self.deaths: list[tuple[str, str]] = []

    # -- members ------------------------------------------------------------------------------

    def join(self, member: str, *, trap: bool) -> None:
        """A process starts."""
        self.traps[member] = trap
        self.logs[member] = []

    def end_member(self, member: str, reason: str, *, killed: bool = False) -> None:
        """A member ends; nobody but its rows goes with it, and no listener hears of it."""
        if not killed:
            rows = {slot: self._spelled_keys(slot, member) for slot in self.running}
            self.logs[member].append(f"terminate {reason} {rows}")
        del self.traps[member]
        for registry in self.registries():
            registry.rows = [row for row in registry.rows if row.owner != member]
        self.links = {pair for pair in self.links if pair[0] != member}
        self.by_hand = {pair for pair in self.by_hand if pair[0] != member}
        self.deaths.append((member, reason))

    def signal(self, member: str, sender: str, reason: str) -> None:
        """An exit signal comes."""
        if self.traps[member]:
            self.logs[member].append(f"exit {sender} {reason}")
        elif reason != "Normal":
            self.end_member(member, reason)

    def _spelled_keys(self, slot: str, member: str) -> list[str] | None:
        registry = self.running[slot]
        return None if registry is None else [repr(key) for key in registry.keys(member)]

    # -- registries ---------------------------------------------------------------------------

    def registries(self) -> list[RegistryModel]:
        """Those that run."""
        return [registry for registry in self.running.values() if registry is not None]

    def registry(self, slot: str) -> RegistryModel:
        """The one that runs in a slot."""
        registry = self.running[slot]
        if registry is None:
            raise Refused("ProcessNotFound")
        return registry

    def end_registry(self, slot: str, reason: str) -> None:
        """It ends, and with it all who are linked; registrants even if its end is normal (17.5)."""
        registry = self.registry(slot)
        self.running[slot] = None
        linked = [member for member in self.traps if (member, registry.pid) in self.links]
        self.links = {pair for pair in self.links if pair[1] != registry.pid}
        self.by_hand = {pair for pair in self.by_hand if pair[1] != registry.pid}
        registrants = {row.owner for row in registry.rows}
        for member in linked:
            normal = reason == "Normal" and member in registrants
            self.signal(member, registry.pid, "Shutdown" if normal else reason)

    def _tell(self, registry: RegistryModel, line: str) -> None:
        for name in registry.listeners:
            if name in self.listeners:
                self.listeners[name].hear(f"{registry.called} {line}")

    # -- what members do ----------------------------------------------------------------------

    def register(self, member: str, slot: str, key: Hashable, value: object) -> None:
        """Make a row and a link, or neither."""
        registry = self.registry(slot)
        taken = registry.under(key)
        if registry.unique and taken:
            raise Refused("AlreadyRegistered", repr(key), taken[0].owner)
        pair = (member, registry.pid)
        if pair not in self.links:
            self.by_hand.discard(pair)  # it has been taken away by hand
        elif not registry.keys(member):
            self.by_hand.add(pair)
        self.links.add(pair)
        registry.rows.append(Row(member, key, value))
        self._tell(registry, f"+ {key!r} {member} {value!r}")

    def unregister(self, member: str, slot: str, key: Hashable) -> None:
        """Remove a member's rows under a key; told even if there was none (REG-036)."""
        registry = self.registry(slot)
        self._remove(registry, registry.of(member, key))
        self._tell(registry, f"- {key!r} {member}")

    def unregister_match(self, member: str, slot: str, key: Hashable, fits: str) -> None:
        """Remove those whose value fits; told only if these were the last."""
        registry = self.registry(slot)
        mine = registry.of(member, key)
        if fits == "raises" and mine:
            raise Refused("Oops")
        rows = [row for row in mine if fits != "raises" and PREDICATES[fits](row.value)]
        self._remove(registry, rows)
        if rows and len(rows) == len(mine):
            self._tell(registry, f"- {key!r} {member}")

    def _remove(self, registry: RegistryModel, rows: list[Row]) -> None:
        for row in rows:
            registry.rows = [other for other in registry.rows if other is not row]
            pair = (row.owner, registry.pid)
            if not registry.keys(row.owner):
                if pair not in self.by_hand:
                    self.links.discard(pair)
                self.by_hand.discard(pair)

    def update_value(
        self, member: str, slot: str, key: Hashable, how: str, value: object
    ) -> tuple[object, object] | None:
        """Change the value of one's own key."""
        registry = self.registry(slot)
        registry.require_unique()
        for row in registry.of(member, key):
            if how == "raises":
                raise Refused("Oops")
            if how == "no value":  # the function gives the key up itself
                self.unregister(member, slot, key)
                return None
            old, row.value = row.value, value
            return value, old
        return None

    def link(self, member: str, slot: str) -> None:
        """By hand."""
        registry = self.running[slot]
        if registry is not None:
            self.links.add((member, registry.pid))
        elif self.traps[member]:
            self.logs[member].append(f"exit {self.handles[slot]} {NOBODY}")
        else:
            raise Refused("ProcessNotFound")

    def unlink(self, member: str, slot: str) -> None:
        """By hand."""
        registry = self.running[slot]
        if registry is not None:
            self.links.discard((member, registry.pid))

    # -- names --------------------------------------------------------------------------------

    def start_by_name(
        self, member: str, slot: str, key: Hashable, value: object, *, trap: bool, init: str
    ) -> None:
        """A process starts under a key, which it has before its init and not if that fails."""
        registry = self.running[slot]
        if registry is None:
            raise Refused("StartFailed", NOBODY)
        if not registry.unique:
            raise Refused("StartFailed", "crash TypeError")
        taken = registry.under(key)
        if taken:
            raise Refused("AlreadyStarted", taken[0].owner)
        self.join(member, trap=trap)
        self.register(member, slot, key, value)
        self.logs[member].append(f"init {self._spelled_keys(slot, member)}")
        if init == "fails":
            self.end_member(member, "crash Oops", killed=True)
            self.deaths.pop()  # before anybody could watch it
            raise Refused("StartFailed", "crash Oops")
        if init == "ends":
            self.end_member(member, "Normal", killed=True)
            self.deaths.pop()
            raise Refused("Ignored")

    def whereis(self, slot: str, key: Hashable) -> str | None:
        """Who is reached by a key."""
        registry = self.running[slot]
        if registry is None:
            return None
        registry.require_unique()
        rows = registry.under(key)
        return rows[0].owner if rows else None
