"""Which reply a ``Call[R]`` class declares, as far as it can be known at run time.

A handler that falls through returns ``None``. For a call whose ``R`` does not admit ``None`` that
is a slip, and the only one about types that a running server looks for.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import lru_cache
from types import NoneType, UnionType
from typing import Annotated, Any, ForwardRef, Literal, TypeVar, Union, get_args, get_origin

from runtime.annotations import UNKNOWN, resolve
from runtime.messages import Call, is_call_class


@lru_cache(maxsize=1024)
def admits_none(request_class: type[Call[object]]) -> bool:
    """Whether ``None`` is a proper reply; yes where the declared type cannot be found out."""
    return _admits_none(_declared_reply(request_class, {}), request_class)


def _declared_reply(cls: type, given: Mapping[object, object]) -> object:
    """The argument ``Call`` gets on the way up from ``cls``, its type variables filled in."""
    bases: tuple[object, ...] = getattr(cls, "__orig_bases__", ())
    for base in bases:
        origin: object = get_origin(base)
        if not (isinstance(origin, type) and is_call_class(origin)):
            continue
        args: list[object] = [given.get(arg, arg) for arg in get_args(base)]
        if origin is Call:
            return args[0]
        parameters: tuple[object, ...] = getattr(origin, "__parameters__", ())
        return _declared_reply(origin, dict(zip(parameters, args, strict=False)))
    for plain in cls.__bases__:
        if is_call_class(plain) and plain is not Call:
            return _declared_reply(plain, {})
    return UNKNOWN


def _admits_none(declared: object, owner: type) -> bool:
    if isinstance(declared, ForwardRef | str):
        text = declared if isinstance(declared, str) else declared.__forward_arg__
        declared = resolve(text, vars(sys.modules[owner.__module__]))
    origin = get_origin(declared)
    if origin is Annotated:
        return _admits_none(get_args(declared)[0], owner)
    if origin in (Union, UnionType):
        return any(_admits_none(arg, owner) for arg in get_args(declared))
    if origin is Literal:
        return None in get_args(declared)
    if declared is None or declared is Any or isinstance(declared, TypeVar):
        return True
    cls = origin or declared
    return not isinstance(cls, type) or _is_none_instance(cls)


def _is_none_instance(cls: type) -> bool:
    """Whether ``None`` is one. A TypedDict, or a protocol with data, cannot be asked and is not."""
    try:
        return issubclass(NoneType, cls)
    except TypeError:
        return False
