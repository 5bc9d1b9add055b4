"""One file, read and taken apart: what a worker process does.

A file that is no Python is an answer and no error: there are such files, and what is wrong with
them is worth knowing. An error would only tell that a worker failed.
"""

from __future__ import annotations

import hashlib
import io
import os
import stat
import tokenize
import warnings
from pathlib import Path, PurePath

import msgspec

from examples.codesearch.symbols import Symbol, symbols_of

MAX_BYTES = 2_000_000


class ParsedFile(msgspec.Struct, frozen=True):
    """What is known of a file. With an ``error`` it has no symbols.

    ``path`` is relative to the directory that is indexed. ``digest`` is of the bytes that were
    parsed (empty: there was nothing to read), ``changed_at`` (ns) and ``size`` are what the system
    said before they were read: as long as it says the same, there is nothing new.
    """

    path: str
    digest: str = ""
    size: int = 0
    changed_at: int = 0
    lines: int = 0
    symbols: tuple[Symbol, ...] = ()
    error: str | None = None


class Unusable(Exception):
    """Why there is nothing to index in a file."""


def parse_file(root: str, path: str, max_bytes: int = MAX_BYTES) -> ParsedFile:
    """Read and parse the file at ``path``, relative to the directory ``root``."""
    try:
        if not stat.S_ISREG(Path(root, path).stat().st_mode):
            # To open a pipe is to wait for somebody who writes to it.
            return ParsedFile(path=as_text(path), error="cannot be read: it is no regular file")
        with Path(root, path).open("rb") as file:
            known = os.fstat(file.fileno())
            parsed = ParsedFile(
                path=as_text(path), size=known.st_size, changed_at=known.st_mtime_ns
            )
            if known.st_size > max_bytes:
                return _failed(parsed, f"too large: {known.st_size:,} bytes, {max_bytes:,} at most")
            content = file.read()
    except OSError as error:
        return ParsedFile(path=as_text(path), error=f"cannot be read: {error.strerror or error}")
    parsed = msgspec.structs.replace(parsed, digest=hashlib.sha256(content).hexdigest())
    try:
        source = _decode(content)
        symbols = _parse(source, module_name(parsed.path))
    except Unusable as error:
        return _failed(parsed, str(error))
    lines = source.count("\n") + (not source.endswith("\n"))
    return msgspec.structs.replace(parsed, lines=lines, symbols=tuple(symbols))


def as_text(path: str) -> str:
    """A path as a database can keep it: names of files need not be text."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def module_name(path: str) -> str:
    """``json.decoder`` for ``json/decoder.py``, ``json`` for ``json/__init__.py``."""
    parts = PurePath(path).with_suffix("").parts
    if parts[-1] == "__init__" and len(parts) > 1:
        parts = parts[:-1]
    return ".".join(parts)


def _failed(parsed: ParsedFile, error: str) -> ParsedFile:
    return msgspec.structs.replace(parsed, error=error)


def _decode(content: bytes) -> str:
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
        return io.TextIOWrapper(io.BytesIO(content), encoding).read()
    except SyntaxError as error:  # of the line that names the encoding
        raise Unusable(f"cannot be decoded: {error.msg}") from error
    except (UnicodeError, LookupError) as error:
        raise Unusable(f"cannot be decoded: {error}") from error


def _parse(source: str, module: str) -> list[Symbol]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the code that is read
            return symbols_of(source, module)
    except SyntaxError as error:
        raise Unusable(f"no Python: line {error.lineno}: {error.msg}") from error
    except ValueError as error:
        raise Unusable(f"no Python: {error}") from error
    except (RecursionError, MemoryError) as error:
        raise Unusable("nested too deeply to be parsed") from error
