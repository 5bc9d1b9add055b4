"""What can be found in a file of Python: its module, its classes, its functions.

Pure: from source text to plain data. A symbol owns the lines that no other symbol owns: the text of
a class is what stands between its methods. Functions inside functions belong to the outer one.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import Literal, TypeAlias

import msgspec

Kind: TypeAlias = Literal["module", "class", "def"]
Definition: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef

KINDS: tuple[Kind, ...] = ("module", "class", "def")


class Symbol(msgspec.Struct, frozen=True):
    """One thing to find. ``name`` is what one would import, ``line`` where its name stands."""

    kind: Kind
    name: str
    line: int
    signature: str
    doc: str
    text: str


def symbols_of(source: str, module: str) -> list[Symbol]:
    """The module first, then what it defines, in the order of lines.

    Raises what ``ast.parse`` raises: ``SyntaxError``, ``ValueError``, ``RecursionError``,
    ``MemoryError``.
    """
    tree = ast.parse(source)
    lines = source.split("\n")
    inner = list(_definitions(tree.body))
    text = _lines_outside(lines, 1, len(lines), inner)
    found = [Symbol("module", module, 1, "", _doc(tree), text)]
    for definition in inner:
        found += _symbols(definition, module, lines)
    return found


def _symbols(node: Definition, scope: str, lines: Sequence[str]) -> Iterator[Symbol]:
    name = f"{scope}.{node.name}"
    first, last = _first_line(node), node.end_lineno or node.lineno
    if isinstance(node, ast.ClassDef):
        inner = list(_definitions(node.body))
        text = _lines_outside(lines, first, last, inner)
        yield Symbol("class", name, node.lineno, _class_signature(node), _doc(node), text)
        for definition in inner:
            yield from _symbols(definition, name, lines)
    else:
        text = "\n".join(lines[first - 1 : last])
        yield Symbol("def", name, node.lineno, _signature(node), _doc(node), text)


def _definitions(body: Sequence[ast.stmt]) -> Iterator[Definition]:
    """The definitions among the statements, also below ``if``, ``try``, ``with`` and loops."""
    for statement in body:
        if isinstance(statement, Definition):
            yield statement
            continue
        for _, field in ast.iter_fields(statement):
            if not isinstance(field, list):
                continue
            for part in field:
                if isinstance(part, ast.stmt):
                    yield from _definitions([part])
                elif isinstance(part, ast.ExceptHandler | ast.match_case):
                    yield from _definitions(part.body)


def _first_line(node: Definition) -> int:
    return min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])


def _lines_outside(lines: Sequence[str], first: int, last: int, inner: Sequence[Definition]) -> str:
    """The lines from ``first`` to ``last`` without those of the definitions inside."""
    kept: list[str] = []
    at = first
    for definition in inner:
        kept += lines[at - 1 : _first_line(definition) - 1]
        at = (definition.end_lineno or definition.lineno) + 1
    return "\n".join([*kept, *lines[at - 1 : last]])


def _doc(node: Definition | ast.Module) -> str:
    """The docstring; escapes in it may have made what is no text for a database."""
    doc = ast.get_docstring(node) or ""
    return doc.encode("utf-8", "replace").decode().replace("\0", "?")


def _signature(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    start = "async def" if isinstance(node, ast.AsyncFunctionDef) else "def"
    result = "" if node.returns is None else f" -> {ast.unparse(node.returns)}"
    return f"{start} {node.name}({ast.unparse(node.args)}){result}"


def _class_signature(node: ast.ClassDef) -> str:
    bases = ", ".join(ast.unparse(base) for base in [*node.bases, *node.keywords])
    return f"class {node.name}({bases})" if bases else f"class {node.name}"
