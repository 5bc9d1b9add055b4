"""Keys: told apart by type as well as by value, and hashed the same in every run."""

from __future__ import annotations

import datetime as dt
import enum
import hashlib
import uuid
from collections.abc import Hashable
from typing import Final, cast

from runtime.containment import attempt, short_repr
from runtime.pid import Pid

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_AS_WRITTEN: Final = (str, type(None), uuid.UUID, dt.date, dt.datetime)
_ALLOWED: Final = (
    "str, bytes, int, float, bool, None, Enum, Pid, UUID, date, datetime, and tuples of these"
)


def exact_key(key: Hashable) -> Hashable:
    """A dict key that tells ``1``, ``1.0`` and ``True`` apart, inside tuples too, as OTP does.

    Python takes the three for one. A string, by far the most common key, is its own exact key.
    Inside other containers, a frozenset say, Python's own equality holds.
    """
    kind = type(key)
    if kind is str:
        return key
    if isinstance(key, tuple):
        parts = cast("tuple[Hashable, ...]", key)
        return (kind, *map(exact_key, parts))
    return (kind, key)


def check_key(key: Hashable) -> Hashable:
    """The exact key of what was given, or a ``TypeError`` that says what a key must be."""
    _, error = attempt(hash, key)
    if error is not None:
        raise TypeError(f"key: got {short_repr(key)}, allowed is anything hashable") from error
    return exact_key(key)


def stable_hash(key: Hashable) -> int:
    """A number of 64 bits for a key, the same in every run, process and machine.

    Python's own ``hash`` is salted anew in each run. Keys with the same ``exact_key`` have the same
    number; ``1``, ``1.0`` and ``True`` have three. OTP: ``:erlang.phash2``. A ``Pid`` counts by its
    number, which is stable only within its node. ``TypeError`` for a key whose bytes are not
    defined.
    """
    return int.from_bytes(hashlib.blake2b(_encode(key), digest_size=8).digest(), "big")


def _encode(key: Hashable) -> bytes:
    """Bytes that only this key has: kind, length, content."""
    kind, content = type(key).__name__, _content(key)
    return f"{kind}:{len(content)}:".encode() + content


def _content(key: Hashable) -> bytes:
    if isinstance(key, enum.Enum):
        return f"{type(key).__qualname__}.{key.name}".encode()
    if isinstance(key, tuple):
        parts = cast("tuple[Hashable, ...]", key)
        return b"".join(map(_encode, parts))
    if type(key) is bytes:
        return key
    text = _text(key)
    if text is None:
        raise TypeError(
            f"key: got {short_repr(key)} ({type(key).__name__}), allowed are {_ALLOWED}"
        )
    return text.encode("utf-8", "surrogatepass")


def _text(key: Hashable) -> str | None:
    """A key of these types in words; of the very type, since a subclass may mean other things."""
    match key:
        case Pid():
            return str(key.number)
        case dt.datetime() if type(key) is dt.datetime and key.tzinfo is not None:
            return f"{key.replace(fold=0) - _EPOCH}"  # as Python compares them
        case int() if type(key) in (int, bool):
            return f"{key:x}"
        case float() if type(key) is float:
            return (key + 0.0).hex()  # there is one zero
        case _:
            return str(key) if type(key) in _AS_WRITTEN else None
