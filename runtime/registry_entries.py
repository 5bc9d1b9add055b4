"""The tables of a registry: who is registered under which key, in which order. No Trio.

Generic in the owner, which is only ever hashed and compared by identity, so that the tables can be
modelled without processes. A key is told apart by ``exact_key`` and given back as it was given.
A death must be able to remove what is there whatever a user's key then does: rows know their group
and hash by identity, so a key is asked for its hash only where a group goes, and contained there.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeAlias, TypeVar

import msgspec

from runtime.containment import contain
from runtime.keys import check_key
from runtime.pid import Pid

P = TypeVar("P", bound=Hashable)
V_co = TypeVar("V_co", covariant=True)


class Entry(msgspec.Struct, Generic[V_co], frozen=True):
    """One registration: whose it is, and the value given with it."""

    pid: Pid
    value: V_co


class Row(Generic[P]):
    """An entry with what it takes to remove it."""

    __slots__ = ("entry", "exact", "group", "key", "owner")

    def __init__(
        self, owner: P, key: Hashable, exact: Hashable, group: Group[P], entry: Entry[object]
    ) -> None:
        self.owner = owner
        self.key = key
        self.exact = exact
        self.group = group
        self.entry = entry

    @property
    def held(self) -> bool:
        """Whether it is still in the tables."""
        return self in self.group


Group: TypeAlias = dict[Row[P], None]


class Entries(Generic[P]):
    """The entries of one registry, by key and by owner, each in the order of registration."""

    def __init__(self, *, unique: bool) -> None:
        self.unique = unique
        self.count = 0
        self._by_key: dict[Hashable, Group[P]] = {}
        self._by_owner: dict[P, Group[P]] = {}

    def add(self, owner: P, pid: Pid, key: Hashable, value: object) -> Entry[object] | None:
        """Make an entry. Where keys are unique and this one is taken: the entry in the way."""
        exact = check_key(key)
        group = self._by_key.get(exact)
        if group is None:
            group = self._by_key[exact] = {}
        elif self.unique and group:
            return next(iter(group)).entry
        row = Row(owner, key, exact, group, Entry(pid, value))
        group[row] = None
        self._by_owner.setdefault(owner, {})[row] = None
        self.count += 1
        return None

    def holds(self, owner: P) -> bool:
        """Whether this owner has any entry."""
        return owner in self._by_owner

    def under(self, key: Hashable) -> list[Row[P]]:
        """The rows of a key."""
        return list(self._by_key.get(check_key(key), ()))

    def of(self, owner: P, key: Hashable) -> list[Row[P]]:
        """The rows an owner has under a key. Walks the shorter of the two lists."""
        group = self._by_key.get(check_key(key), {})
        owned = self._by_owner.get(owner, {})
        if len(owned) < len(group):
            return [row for row in owned if row in group]
        return [row for row in group if row in owned]

    def all_of(self, owner: P) -> list[Row[P]]:
        """The rows of an owner."""
        return list(self._by_owner.get(owner, ()))

    def all(self) -> list[Row[P]]:
        """Every row, those of one key together."""
        return [row for group in self._by_key.values() for row in group]

    def owners(self) -> list[P]:
        """Everybody who has an entry."""
        return list(self._by_owner)

    def remove(self, row: Row[P]) -> None:
        """Take one entry out, if it is there."""
        if row.held:
            owned = self._by_owner[row.owner]
            del owned[row]
            if not owned:
                del self._by_owner[row.owner]
            self._leave_group(row)

    def drop(self, owner: P) -> None:
        """Take everything of an owner out."""
        for row in self._by_owner.pop(owner, ()):
            self._leave_group(row)

    def _leave_group(self, row: Row[P]) -> None:
        self.count -= 1
        del row.group[row]
        if not row.group:
            contain(None, self._forget, row)

    def _forget(self, row: Row[P]) -> None:
        """An empty group goes. One whose key has changed its hash is out of reach and stays."""
        if self._by_key.get(row.exact) is row.group:
            del self._by_key[row.exact]
