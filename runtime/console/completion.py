"""What might follow what was typed: names, attributes, and in strings the names of processes.

Nothing of the user's runs for it: attributes are looked up where they stand, so that no property
computes anything, and only a module or a class is asked for its ``dir`` as Python defines it.
"""

from __future__ import annotations

import builtins
import inspect
import keyword
import re
from collections.abc import Iterable, Mapping
from types import ModuleType
from typing import Final, cast

_WORD: Final = re.compile(r"[\w.]*\Z")
_IN_STRING: Final = re.compile(r"""(["'])((?:(?!\1).)*)\Z""")
_STRINGS: Final = re.compile(r"""("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')""")
_MOST: Final = 500
_MISSING: Final = object()


def last_word(text: str) -> str:
    """What completions of ``text`` are to replace: the open string's content, or dotted name."""
    opened = _open_string(text)
    if opened is not None:
        return opened
    found = _WORD.search(text)
    return found.group() if found is not None else ""


def completions(
    text: str, names: Mapping[str, object], processes: Iterable[str]
) -> tuple[str, ...]:
    """Whole words that may replace ``last_word(text)``, sorted."""
    word = last_word(text)
    found: set[str] = set()
    if _open_string(text) is not None:
        found = {name for name in processes if name.startswith(word)}
    elif "." in word:
        found = _attributes(word, names)
    elif word:
        known = {*names, *dir(builtins), *keyword.kwlist}
        found = {name for name in known if name.startswith(word)}
        if not word.startswith("_"):
            found = {name for name in found if not name.startswith("_")}
    return tuple(sorted(found)[:_MOST])


def _open_string(text: str) -> str | None:
    found = _IN_STRING.search(_STRINGS.sub("", text))
    return None if found is None else found.group(2)


def _attributes(word: str, names: Mapping[str, object]) -> set[str]:
    path, _, begun = word.rpartition(".")
    first, *more = path.split(".")
    value = names.get(first, getattr(builtins, first, _MISSING))
    for name in more:
        value = _look(value, name)
    if value is _MISSING:
        return set()
    found = (name for name in _names_of(value) if name.startswith(begun))
    return {f"{path}.{name}" for name in found if begun.startswith("_") or name[0] != "_"}


def _look(value: object, name: str) -> object:
    """An attribute without running anything: what a descriptor would compute is not known."""
    found: object = inspect.getattr_static(value, name, _MISSING)
    if isinstance(found, staticmethod | classmethod):
        return cast("object", found.__func__)  # pyright: ignore[reportUnknownMemberType]
    is_slot = inspect.ismemberdescriptor(found) or inspect.isgetsetdescriptor(found)
    if is_slot and not isinstance(value, type):
        return object.__getattribute__(value, name) if _has(value, name) else _MISSING
    if isinstance(found, property) or (hasattr(type(found), "__get__") and not callable(found)):
        return _MISSING
    return found


def _has(value: object, name: str) -> bool:
    try:
        object.__getattribute__(value, name)
    except AttributeError:
        return False
    return True


def _names_of(value: object) -> list[str]:
    if isinstance(value, type):
        return list(type.__dir__(value))
    if isinstance(value, ModuleType):
        return list(vars(value))
    return [name for name in object.__dir__(value) if isinstance(name, str)]
