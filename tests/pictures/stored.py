"""Where the pictures are."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"


def stored(name: str) -> Path:
    """The file of a picture."""
    return FOLDER / f"{name}.svg"
