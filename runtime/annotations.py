"""What an annotation that is only a string means, as far as that can be found out."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Final

import msgspec

UNKNOWN: Final = object()


def resolve(text: str, namespace: Mapping[str, object]) -> object:
    """The value of the annotation in its module, or ``UNKNOWN``: a local class, say."""
    try:
        result: object = eval(text, dict(namespace))
    except (NameError, AttributeError, SyntaxError, TypeError):
        return UNKNOWN
    return result


def publish(package: str, exported: Mapping[str, object]) -> None:
    """Let tracebacks, reprs and ``help`` show the public path of what a package exports.

    The annotations of a Struct are resolved first: msgspec would look for their names in the module
    that the class says it is from.
    """
    for one in exported.values():
        if isinstance(one, type) and one.__module__.startswith(f"{package}."):
            if issubclass(one, msgspec.Struct):
                one.__annotations__ = inspect.get_annotations(one, eval_str=True)
            one.__module__ = package
