"""Names that need no import at the prompt: those of the service's own modules.

A name is looked for in the main module and in the modules whose servers run at this moment, so
what a server is called with is at hand. One that means different things in two of them is left to
be imported. What a session has defined itself comes first, then what Python defines.
"""

from __future__ import annotations

import ast
import builtins
import sys
from collections.abc import Iterable
from types import ModuleType

from runtime.current import current_table
from runtime.server_body import ServerBody


def learn(source: str, names: dict[str, object]) -> None:
    """Add the names that ``source`` uses and the session does not know, where they are plain."""
    unknown = used(source).difference(names, vars(builtins))
    if unknown:
        known = familiar(modules())
        names.update((name, known[name]) for name in unknown if name in known)


def used(source: str) -> set[str]:
    """The names that are read in this source; none if it is no Python."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def modules() -> list[ModuleType]:
    """The main module, and those whose servers run."""
    names = {"__main__"}
    for process in current_table().by_pid.values():
        body = process.body
        if isinstance(body, ServerBody) and body.server is not None:
            names.add(type(body.server).__module__)
    return [sys.modules[name] for name in sorted(names) if name in sys.modules]


def familiar(found_in: Iterable[ModuleType]) -> dict[str, object]:
    """The public names of modules, without those that mean different things in two of them."""
    known: dict[str, object] = {}
    several: set[str] = set()
    for module in found_in:
        for name, value in tuple(vars(module).items()):
            if name.startswith("_"):
                continue
            if known.setdefault(name, value) is not value:
                several.add(name)
    return {name: value for name, value in known.items() if name not in several}
