"""Keys: told apart by type as well as by value, and hashed the same in every run."""

from __future__ import annotations

import datetime as dt
import enum
import hashlib
import uuid
from collections.abc import Hashable
from typing import Final, cast

from runtime.containment import short_repr
from runtime.pid import Pid

_PLAIN: Final = (str, bytes, int, float, bool, type(None))
_BY_TEXT: Final = (uuid.UUID, dt.date, dt.time, dt.datetime)
_ALLOWED: Final = (
    "str, bytes, int, float, bool, None, Enum, Pid, UUID, dates and times, and tuples of these"
)


def exact_key(key: Hashable) -> Hashable:
    """A dict key that tells ``1``, ``1.0`` and ``True`` apart, inside tuples too, as OTP does.

    Python takes the three for one. A string, by far the most common key, is its own exact key.
    """
    kind = type(key)
    if kind is str:
        return key
    if kind is tuple:
        parts = cast("tuple[Hashable, ...]", key)
        return (tuple, *(exact_key(part) for part in parts))
    return (kind, key)


def stable_hash(key: Hashable) -> int:
    """A number of 64 bits for a key, the same in every run, process and machine.

    Python's own ``hash`` is salted anew in each run. Equal keys of different types (``1``, ``1.0``,
    ``True``) hash differently. OTP: ``:erlang.phash2``. A ``Pid`` counts by its number, which is
    stable only within its node. ``TypeError`` for a key whose bytes are not defined.
    """
    return int.from_bytes(hashlib.blake2b(_encode(key), digest_size=8).digest(), "big")


def _encode(key: Hashable) -> bytes:
    """Bytes that only this key has: kind, length, content."""
    if isinstance(key, enum.Enum):
        content = f"{type(key).__qualname__}.{key.name}".encode()
        kind = "enum"
    elif isinstance(key, Pid):
        kind, content = "pid", str(key.number).encode()
    elif isinstance(key, tuple):
        parts = cast("tuple[Hashable, ...]", key)
        kind, content = "tuple", b"".join(map(_encode, parts))
    elif type(key) in _PLAIN:
        kind = type(key).__name__
        content = key if isinstance(key, bytes) else str(key).encode("utf-8", "surrogatepass")
    elif isinstance(key, _BY_TEXT):
        kind, content = type(key).__name__, str(key).encode()
    else:
        raise TypeError(f"key: got {short_repr(key)}, allowed are {_ALLOWED}")
    return f"{kind}:{len(content)}:".encode() + content
