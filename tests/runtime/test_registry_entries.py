"""The tables of a registry, against a model that is a list."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from runtime import Pid
from runtime.registry_entries import Entries, Entry, Row

OWNERS = [Pid(number, "owner") for number in range(4)]
KEYS: list[Any] = ["x", "y", 1, 1.0, True, 0, False, (1, "x"), (1.0, "x"), (), None]

owners = st.sampled_from(OWNERS)
keys = st.sampled_from(KEYS)
values = st.integers(0, 2)


class Known:
    """An entry as the model has it."""

    def __init__(self, owner: Pid, key: Any, value: int) -> None:
        self.owner = owner
        self.key = key
        self.value = value


def same(one: object, other: object) -> bool:
    """Equal, and of the same types all the way down."""
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and one == other


class Model(RuleBasedStateMachine):
    """A list of entries in the order of registration, and what is done to it."""

    unique = False

    def __init__(self) -> None:
        super().__init__()
        self.table: Entries[Pid] = Entries(unique=self.unique)
        self.model: list[Known] = []

    def known(self, owner: Pid | None, key: object) -> list[Known]:
        """Those of a key, of one owner or of all."""
        return [one for one in self.model if same(one.key, key) and owner in (None, one.owner)]

    @rule(owner=owners, key=keys, value=values)
    def add(self, owner: Pid, key: Any, value: int) -> None:
        held = self.known(None, key)
        taken = self.table.add(owner, owner, key, value)
        if self.unique and held:
            assert taken == Entry(held[0].owner, held[0].value)
        else:
            assert taken is None
            self.model.append(Known(owner, key, value))

    @rule(owner=owners, key=keys, value=values)
    def remove_some(self, owner: Pid, key: Any, value: int) -> None:
        for row in self.table.of(owner, key):
            if row.entry.value == value:
                self.table.remove(row)
                self.table.remove(row)  # gone is gone
                assert not row.held
        for one in self.known(owner, key):
            if one.value == value:
                self.model.remove(one)

    @rule(owner=owners)
    def drop(self, owner: Pid) -> None:
        rows = self.table.all_of(owner)
        self.table.drop(owner)
        assert not any(row.held for row in rows)
        self.model = [one for one in self.model if one.owner is not owner]

    @rule(owner=owners, key=keys, value=values)
    def update(self, owner: Pid, key: Any, value: int) -> None:
        for row, one in zip(self.table.of(owner, key), self.known(owner, key), strict=True):
            row.entry = Entry(owner, value)
            one.value = value

    @invariant()
    def the_tables_say_what_the_list_says(self) -> None:
        table, model = self.table, self.model
        assert table.count == len(model)
        assert set(table.owners()) == {one.owner for one in model}
        for key in KEYS:
            self.agree(table.under(key), self.known(None, key))
            for owner in OWNERS:
                self.agree(table.of(owner, key), self.known(owner, key))
        for owner in OWNERS:
            mine = [one for one in model if one.owner is owner]
            self.agree(table.all_of(owner), mine)
            assert table.holds(owner) == bool(mine)

    @invariant()
    def every_entry_is_listed_once_and_those_of_a_key_together(self) -> None:
        listed = self.table.all()
        assert len(listed) == len(set(listed)) == len(self.model)
        groups = [
            [row for row in listed if same(row.key, key)]
            for key in KEYS
        ]  # fmt: skip
        for rows in groups:
            if rows:
                first = listed.index(rows[0])
                assert listed[first : first + len(rows)] == rows

    @staticmethod
    def agree(rows: list[Row[Pid]], known: list[Known]) -> None:
        assert len(rows) == len(known)
        for row, one in zip(rows, known, strict=True):
            assert row.held
            assert row.owner is row.entry.pid is one.owner
            assert same(row.key, one.key)
            assert row.entry.value == one.value


class UniqueModel(Model):
    """The same, with one entry per key."""

    unique = True


TestDuplicateEntries = Model.TestCase
TestUniqueEntries = UniqueModel.TestCase


@pytest.fixture(params=[True, False], ids=["unique", "duplicate"])
def table(request: pytest.FixtureRequest) -> Entries[Pid]:
    return Entries(unique=request.param)


A, B = OWNERS[:2]


def test_keys_come_back_as_they_were_given(table: Entries[Pid]) -> None:
    given: list[Any] = [1, 1.0, True, "1", (1, 2), (1.0, 2)]
    for key in given:
        table.add(A, A, key, None)
    assert [row.key for row in table.all_of(A)] == given
    assert [type(row.key) for row in table.all_of(A)] == list(map(type, given))


@pytest.mark.parametrize("key", [[], {}, set(), ([],), bytearray()])
def test_what_cannot_be_hashed_is_no_key(table: Entries[Pid], key: Any) -> None:
    for call in (table.under, lambda one: table.of(A, one)):
        with pytest.raises(TypeError, match=r"^key: got .*, allowed is anything hashable$"):
            call(key)
    with pytest.raises(TypeError, match="hashable"):
        table.add(A, A, key, None)
    assert (table.count, table.owners(), table.all()) == (0, [], [])


def test_empty_groups_are_forgotten(table: Entries[Pid]) -> None:
    """Also when every key is used once, as with request ids."""
    for number in range(100):
        table.add(A, A, f"key {number}", None)
        (row,) = table.under(f"key {number}")
        table.remove(row)
    assert vars(table)["_by_key"] == {}
    assert vars(table)["_by_owner"] == {}


def test_what_is_dropped_is_freed_at_once(table: Entries[Pid]) -> None:
    class Value:
        """Something big."""

    gc.disable()
    try:
        value = Value()
        gone = weakref.ref(value)
        table.add(A, A, "k", value)
        del value
        table.drop(A)
        assert gone() is None
    finally:
        gc.enable()


class Fickle:
    """A key whose hash changes, or that cannot be asked any more."""

    def __init__(self) -> None:
        self.number: int | None = 1

    def __hash__(self) -> int:
        if self.number is None:
            raise ValueError("no hash today")
        return self.number

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Fickle) and self.number == other.number


def test_a_key_that_has_changed_does_not_keep_a_dead_owner(
    table: Entries[Pid], hook: list[BaseException]
) -> None:
    key = Fickle()
    table.add(A, A, key, None)
    table.add(A, A, "k", None)
    key.number = 2
    table.drop(A)
    assert (table.count, table.owners(), table.all(), hook) == (0, [], [], [])
    key.number = 1
    assert table.under(key) == []
    assert table.add(B, B, key, None) is None
    assert [row.owner for row in table.under(key)] == [B]


def test_a_key_that_cannot_be_hashed_any_more_does_not_keep_a_dead_owner(
    table: Entries[Pid], hook: list[BaseException]
) -> None:
    key = Fickle()
    table.add(A, A, key, None)
    table.add(A, A, "k", None)
    key.number = None
    table.drop(A)
    assert (table.count, table.owners(), table.all()) == (0, [], [])
    (complaint,) = hook
    assert str(complaint) == "no hash today"


def test_a_key_that_has_become_another_does_not_take_its_place(table: Entries[Pid]) -> None:
    one, other = Fickle(), Fickle()
    other.number = 2
    table.add(A, A, one, "one")
    table.add(B, B, other, "other")
    one.number = 2
    table.drop(A)
    assert [row.entry.value for row in table.under(other)] == ["other"]
