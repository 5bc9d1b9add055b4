"""What an annotation that is only a string means, as far as that can be found out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

UNKNOWN: Final = object()


def resolve(text: str, namespace: Mapping[str, object]) -> object:
    """The value of the annotation in its module, or ``UNKNOWN``: a local class, say."""
    try:
        result: object = eval(text, dict(namespace))
    except (NameError, AttributeError, SyntaxError, TypeError):
        return UNKNOWN
    return result
