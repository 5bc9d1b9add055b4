"""Any value as one that JSON and msgpack can say: what users tell of themselves may be anything.

Bounded, so that nobody's facts make a snapshot slow or large.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import islice
from typing import Final, cast

from runtime.containment import clean, crash_of, short_repr
from runtime.inspection.views import Plain

MAX_ITEMS: Final = 100
"""Of one list or dict; the rest is left out."""

_MAX_DEPTH: Final = 4
_MAX_INT: Final = 1 << 63


def plain(value: object, depth: int = _MAX_DEPTH) -> Plain:
    """The value if it is plain, else as text; what is too deep or too long is cut."""
    kind = type(value)
    if value is None or kind is bool or kind is float:
        return cast("Plain", value)
    if kind is int:
        number = cast("int", value)
        return number if -_MAX_INT <= number < _MAX_INT else short_repr(number)
    if isinstance(value, str):
        return clean(str.__str__(value))
    if depth > 0 and isinstance(value, dict):
        items = islice(cast("dict[object, object]", value).items(), MAX_ITEMS)
        return {_key(key): plain(one, depth - 1) for key, one in items}
    if depth > 0 and isinstance(value, list | tuple):
        members = islice(cast("list[object]", value), MAX_ITEMS)
        return [plain(one, depth - 1) for one in members]
    return short_repr(value)


def _key(key: object) -> str:
    return clean(key) if type(key) is str else short_repr(key)


def plain_facts(tell: Callable[[], object]) -> dict[str, Plain]:
    """What a behaviour says of itself; a raise, or what is no mapping, is said as such."""
    found, error = crash_of(tell)
    facts: dict[str, Plain] | None = None
    if error is None:
        facts, error = crash_of(_as_dict, found)
    if facts is not None:
        return facts
    text, error = short_repr(error), None  # this frame is in its traceback: break the cycle
    return {"facts": f"raised {text}"}


def _as_dict(facts: object) -> dict[str, Plain]:
    if not isinstance(facts, Mapping):
        raise TypeError(f"facts: returned {short_repr(facts)}, allowed is a mapping")
    items = islice(cast("Mapping[object, object]", facts).items(), MAX_ITEMS)
    return {_key(key): plain(value) for key, value in items}
