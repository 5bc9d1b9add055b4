"""What the commands print: as ``rich`` text, plain where the output is no terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.text import Text

from examples.codesearch.database import Counts
from examples.codesearch.search import HIT_ENDS, HIT_STARTS, Found, Hit

SHOWN_FAILURES = 10


def found_lines(found: Found, root: Path, here: Path) -> Iterable[Text]:
    """Two lines for each hit: where and what, and a piece of it."""
    if not found.all_words and found.hits:
        yield Text("nothing has all of these words; these have some:", style="italic")
    for hit in found.hits:
        yield Text.assemble(
            (_shown_path(root / hit.path, here), "magenta"),
            (f":{hit.line}", "green"),
            f" {hit.kind} ",
            (_printable(hit.name), "bold"),
            _printable(_parameters(hit)),
        )
        yield _snippet(hit.snippet)


def status_lines(
    root: Path, counts: Counts, failed: Sequence[tuple[str, str]], *, full: bool
) -> Iterable[Text]:
    """What is in an index, and what is not and why."""
    yield Text(f"index of {_printable(str(root))}")
    for number, what in (
        (counts.files, "files"),
        (counts.lines, "lines"),
        (counts.modules, "modules"),
        (counts.classes, "classes"),
        (counts.functions, "functions"),
        (counts.failed, "files that failed"),
    ):
        yield Text(f"{number:>11,} {what}")
    shown = failed if full else failed[:SHOWN_FAILURES]
    for path, reason in shown:
        yield Text(f"    {_printable(path)}: {_printable(reason)}")
    if len(shown) < len(failed):
        yield Text(f"    and {len(failed) - len(shown)} more; status --full shows them all")


def _shown_path(path: Path, here: Path) -> str:
    """As short as it is clear."""
    return _printable(str(path.relative_to(here) if path.is_relative_to(here) else path))


def _parameters(hit: Hit) -> str:
    """The signature without what is said already."""
    name = hit.name.rpartition(".")[2]
    return hit.signature.partition(f" {name}")[2] if hit.kind != "module" else ""


def _snippet(snippet: str) -> Text:
    text = Text("    ")
    for number, part in enumerate(" ".join(snippet.split()).split(HIT_STARTS)):
        hit, _, rest = part.rpartition(HIT_ENDS) if number else ("", "", part)
        text.append(_printable(hit), style="bold yellow").append(_printable(rest))
    return text


def _printable(text: str) -> str:
    """Foreign text is shown as it is, but a terminal does nothing that it says."""
    return "".join(char if char.isprintable() else "?" for char in text)
