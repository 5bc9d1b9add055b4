"""Reading the source of the packages as syntax trees, for ``test_layout``."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import trio

ROOT = Path(__file__).parents[1]
PACKAGES = ("runtime", "supervisors")


def sources(*folders: str) -> Iterator[tuple[str, str]]:
    """The path from the root, and the text, of every Python file in these folders."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), path.read_text()


def modules() -> dict[str, str]:
    """``{"runtime.pid": source}`` for every file of the packages but ``__init__``."""
    return {
        path.removesuffix(".py").replace("/", "."): source
        for path, source in sources(*PACKAGES)
        if not path.endswith("__init__.py")
    }


def imports(source: str) -> list[str]:
    """Whatever is imported anywhere, lazily or for types only: ``a.b`` or, from ``a``, ``a:b``.

    An import relative to the file begins with its dots.
    """
    found: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            found += [f"{module}:{alias.name}" for alias in node.names]
    return found


def dynamic_imports(source: str) -> list[int]:
    """Lines that import by a function."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if (isinstance(node, ast.Name) and node.id in ("__import__", "importlib"))
        or (isinstance(node, ast.Attribute) and node.attr == "import_module")
    ]


def broad_excepts(source: str) -> list[int]:
    """Lines that catch everything: by ``except``, ``except*`` or ``suppress``."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if (isinstance(node, ast.ExceptHandler) and _is_broad(node.type))
        or (
            isinstance(node, ast.Call)
            and _last_name(node.func) == "suppress"
            and any(map(_is_broad, node.args))
        )
    ]


def _is_broad(kind: ast.expr | None) -> bool:
    if isinstance(kind, ast.Tuple):
        return any(map(_is_broad, kind.elts))
    return kind is None or _last_name(kind) in ("Exception", "BaseException")


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def shields(source: str) -> list[int]:
    """Lines that shield, or may: ``shield=`` anything but ``False``, ``scope.shield = ...``."""
    tree = ast.parse(source)
    keywords = [
        node.value.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.keyword)
        and node.arg == "shield"
        and not (isinstance(node.value, ast.Constant) and node.value.value is False)
    ]
    assigned = [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr == "shield"
        and isinstance(node.ctx, ast.Store)
    ]
    return keywords + assigned


TRIOS_PRIVATE_NAMES = {
    *re.findall(r"\bself\.(_[a-z]\w*)", Path(inspect.getfile(trio.run)).read_text()),
    "GLOBAL_RUN_CONTEXT",
}
"""What tasks, nurseries, scopes and the runner keep to themselves."""

_BY_NAME = ("getattr", "setattr", "hasattr", "delattr", "attrgetter", "methodcaller")


def private_trio(source: str) -> list[int]:
    """Lines that use a private module or a private attribute of Trio, also by ``getattr``."""
    lines: list[int] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
            private = any(name.startswith("trio._") for name in names)
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            names = [f"{module}.{alias.name}" for alias in node.names]
            private = module.split(".")[0] == "trio" and any("._" in name for name in names)
        elif isinstance(node, ast.Attribute):
            of_self = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
            private = not of_self and (
                node.attr in TRIOS_PRIVATE_NAMES
                or (_root_name(node) == "trio" and node.attr.startswith("_"))
            )
        elif isinstance(node, ast.Call) and _last_name(node.func) in _BY_NAME:
            given = [one.value for one in node.args if isinstance(one, ast.Constant)]
            private = not TRIOS_PRIVATE_NAMES.isdisjoint(given)
        else:
            continue
        if private:
            lines.append(node.lineno)
    return lines


def _root_name(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def public_any(source: str) -> set[str]:
    """Public functions, methods and attributes whose annotation says ``Any``.

    The first two arguments of ``Coroutine`` do not count, nor does the implementation of an
    overloaded function, which no caller sees.
    """
    return set(_public_any(ast.parse(source).body, ""))


def _public_any(body: list[ast.stmt], prefix: str) -> Iterator[str]:
    overloaded = {
        node.name
        for node in body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and any(_last_name(one) == "overload" for one in node.decorator_list)
    }
    for node in body:
        if isinstance(node, ast.ClassDef):
            if not node.name.startswith("_"):
                yield from _public_any(node.body, f"{prefix}{node.name}.")
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            if node.name not in overloaded and _is_public(node.name) and _function_says_any(node):
                yield prefix + node.name
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            name = node.target.id
            alias = _last_name(node.annotation) == "TypeAlias"
            said = node.value if alias and node.value is not None else node.annotation
            if _is_public(name) and _says_any(said):
                yield prefix + name


def _is_public(name: str) -> bool:
    return not name.startswith("_") or (name.startswith("__") and name.endswith("__"))


def _function_says_any(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    given = node.args
    every = [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]
    annotations = [one.annotation for one in every if one is not None]
    return any(_says_any(one) for one in (*annotations, node.returns) if one is not None)


def _says_any(annotation: ast.expr) -> bool:
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        annotation = ast.parse(annotation.value, mode="eval").body
    if isinstance(annotation, ast.Subscript) and _last_name(annotation.value) == "Coroutine":
        arguments = annotation.slice
        assert isinstance(arguments, ast.Tuple)
        return _says_any(arguments.elts[2])
    if _last_name(annotation) == "Any":
        return True
    if isinstance(annotation, ast.Subscript) and _last_name(annotation.value) == "Literal":
        return False
    return any(
        _says_any(one) for one in ast.iter_child_nodes(annotation) if isinstance(one, ast.expr)
    )


def documented_names(source: str) -> set[str]:
    """Assigned names that are followed by a string saying what they are."""
    body = ast.parse(source).body
    return {
        target.id
        for node, after in pairwise(body)
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
        and isinstance(after, ast.Expr)
        and isinstance(after.value, ast.Constant)
        and isinstance(after.value.value, str)
    }
