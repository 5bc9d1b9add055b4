"""All that can be read of a registry: as its handle gives it, and as the model has it."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import partial
from typing import Any

from runtime import Entry, Ref, process_info, via
from tests.models.registry_model import PREDICATES, RegistryModel, same
from tests.models.registry_parts import Names, Words, raises

Reading = dict[str, object]


def read(registry: Names, keys: list[Hashable], members: dict[str, Ref], words: Words) -> Reading:
    """What anybody is told; nothing of it asks the registry's process."""
    info = registry.info()
    seen: Reading = {"info": (info.keys, info.count, info.listeners), "count": registry.count()}
    for key in keys:
        given: list[Entry[Any]] = []
        registry.dispatch(key, given.extend)
        seen[f"lookup {key!r}"] = words.all(registry.lookup(key))
        seen[f"dispatch {key!r}"] = words.all(given)
        seen[f"whereis {key!r}"] = words.get(partial(registry.whereis_name, key))
        seen[f"via {key!r}"] = words.get(via(registry, key).whereis)
        seen[f"meta {key!r}"] = repr(registry.meta(key))
        for name, fits in PREDICATES.items():
            seen[f"match {key!r} {name}"] = words.all(registry.match(key, fits))
            seen[f"count {key!r} {name}"] = registry.count_match(key, fits)
        seen[f"match {key!r} raises"] = words.get(partial(registry.match, key, raises))
        for name, member in members.items():
            seen[f"values {key!r} {name}"] = list(map(repr, registry.values(key, member)))
    for name, member in members.items():
        seen[f"keys {name}"] = list(map(repr, registry.keys(member)))
        seen[f"linked {name}"] = _linked(registry, member)
    for name, fits in PREDICATES.items():
        whole = partial(_value_fits, fits)
        chosen = registry.select(whole)
        seen[f"select {name}"] = _by_key([(k, words.of(pid), v) for k, pid, v in chosen])
        seen[f"count {name}"] = registry.count_select(whole)
    seen["select"] = _by_key([(k, words.of(pid), v) for k, pid, v in registry.select()])
    return seen


def predict(
    model: RegistryModel, keys: list[Hashable], members: list[str], linked: set[tuple[str, str]]
) -> Reading:
    """The same, of the model."""
    kind = "unique" if model.unique else "duplicate"
    seen: Reading = {"info": (kind, len(model.rows), model.listeners), "count": len(model.rows)}
    for key in keys:
        rows = [(row.owner, row.value) for row in model.under(key)]
        spelled = [(owner, repr(value)) for owner, value in rows]
        seen[f"lookup {key!r}"] = seen[f"dispatch {key!r}"] = spelled
        holder = [rows[0][0] if rows else None] if model.unique else ("TypeError",)
        seen[f"whereis {key!r}"] = seen[f"via {key!r}"] = holder
        seen[f"meta {key!r}"] = repr(model.find_meta(key))
        for name, fits in PREDICATES.items():
            fit = [(owner, repr(value)) for owner, value in rows if fits(value)]
            seen[f"match {key!r} {name}"], seen[f"count {key!r} {name}"] = fit, len(fit)
        seen[f"match {key!r} raises"] = ("Oops",) if rows else [[]]
        for name in members:
            seen[f"values {key!r} {name}"] = [repr(row.value) for row in model.of(name, key)]
    for name in members:
        seen[f"keys {name}"] = list(map(repr, model.keys(name)))
        seen[f"linked {name}"] = (name, model.pid) in linked
    for name, fits in PREDICATES.items():
        chosen = [(row.key, row.owner, row.value) for row in model.rows if fits(row.value)]
        seen[f"select {name}"], seen[f"count {name}"] = _grouped(chosen), len(chosen)
    seen["select"] = _grouped([(row.key, row.owner, row.value) for row in model.rows])
    return seen


def differing(one: Reading, other: Reading) -> tuple[Reading, Reading]:
    """What is not the same in both."""
    names = {name for name in one | other if (name in one) != (name in other)}
    names |= {name for name in one if name in other and one[name] != other[name]}
    return ({name: one.get(name) for name in names}, {name: other.get(name) for name in names})


def _value_fits(fits: Callable[[object], bool], _key: object, _pid: object, value: object) -> bool:
    return fits(value)


def _by_key(rows: list[tuple[Hashable, object, object]]) -> list[str]:
    """Rows as they came, those of one key together; in which order the keys come is open."""
    groups: list[list[tuple[Hashable, object, object]]] = []
    for row in rows:
        if not groups or not same(groups[-1][0][0], row[0]):
            groups.append([])
        groups[-1].append(row)
    return sorted(map(repr, groups))


def _grouped(rows: list[tuple[Hashable, str, object]]) -> list[str]:
    groups: list[list[tuple[Hashable, object, object]]] = []
    for row in rows:
        group = next((one for one in groups if same(one[0][0], row[0])), None)
        if group is None:
            groups.append(group := [])
        group.append(row)
    return sorted(map(repr, groups))


def _linked(registry: Names, member: Ref) -> bool:
    """Whether they are; both sides must agree."""
    one, other = process_info(registry), process_info(member)
    assert one is not None
    if other is None:
        assert member.pid not in one.links
        return False
    assert (other.pid in one.links) == (one.pid in other.links)
    return other.pid in one.links
