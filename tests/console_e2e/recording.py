"""Pictures of ``otp tree`` and ``otp top`` for the README: ``make recordings``.

The link checker crawls a slow site with its console on; what it answers is drawn by the command's
own screens.
"""

from __future__ import annotations

import tempfile
import time
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Final

from rich.console import Console, RenderableType

from runtime.console.frames import AskTop, AskTree
from runtime.inspection.views import Snapshot
from supervisors.command.client import Client, connect
from supervisors.command.top import EVERY
from supervisors.command.top_keys import Look
from supervisors.command.top_screen import Seen, top_screen
from supervisors.command.tree_screen import tree_screen
from tests.console_e2e.terminals import ROOT, Programs
from tests.examples.sitecheck.server import serve
from tests.examples.sitecheck.slow_site import SlowSite

HERE: Final = ROOT / "docs" / "recordings"
WIDTH: Final = 110
HEIGHT: Final = 24
LOOKS: Final = 3


def record(folder: Path, pages: int = 2000) -> None:
    """Write ``tree.svg`` and ``top.svg``."""
    slow = SlowSite(pages)
    with tempfile.TemporaryDirectory() as home, serve(slow.routes) as site:
        programs = Programs(Path(home))
        command = ("-m", "examples.sitecheck", site.url, "--quiet", "--console", "--workers", "4")
        with programs.service(*command):
            (path,) = programs.sockets.glob("*.sock")
            client = connect(path, _unheard)
            try:
                _record_both(client, folder)
            finally:
                client.close()


def _record_both(client: Client, folder: Path) -> None:
    service = client.welcome.service
    # Rates and shares come from several looks.
    ask = partial(client.ask, partial(AskTop, sort="rate", limit=50), Snapshot)
    for _ in range(LOOKS):
        ask()
        time.sleep(EVERY)
    seen = ask()
    tree = client.ask(AskTree, Snapshot)
    folder.mkdir(exist_ok=True)
    _draw(tree_screen(tree, service), "otp tree", folder / "tree.svg")
    top = top_screen(Seen(service, seen), Look(sort="rate"), HEIGHT, WIDTH)
    _draw(top, "otp top", folder / "top.svg")


def _draw(screen: RenderableType, title: str, path: Path) -> None:
    console = Console(
        record=True, width=WIDTH, height=HEIGHT, file=StringIO(), force_terminal=True,
        color_system="truecolor", highlight=False, legacy_windows=False,
    )  # fmt: skip
    console.print(screen)
    path.write_text(console.export_svg(title=title, unique_id=path.stem))


def _unheard(text: str) -> None:
    """Nothing is evaluated."""


if __name__ == "__main__":
    record(HERE)
