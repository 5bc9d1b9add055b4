"""When what was typed is whole, and how far the next line is indented."""

from __future__ import annotations

import ast
import warnings
from codeop import CommandCompiler

_compile = CommandCompiler()
_compile.compiler.flags |= ast.PyCF_ALLOW_TOP_LEVEL_AWAIT


def is_whole(source: str) -> bool:
    """Whether Python would take it as it stands; an empty line ends a block.

    The indent that begins a line by itself does not count. What is wrong is whole as well: the
    service says what is wrong with it.
    """
    source = source.rstrip(" \t")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they are the service's to give
        try:
            return _compile(source, "<prompt>", "single") is not None
        except (SyntaxError, ValueError, OverflowError):
            return True


def indent_after(line: str) -> str:
    """The white space that the line after ``line`` begins with."""
    indent = line[: len(line) - len(line.lstrip())]
    opens_a_block = line.partition("#")[0].rstrip().endswith(":")
    return indent + "    " if opens_a_block else indent
