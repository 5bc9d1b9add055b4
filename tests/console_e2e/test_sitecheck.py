"""The command attached to the link checker while it crawls: nothing that is done disturbs it."""

from __future__ import annotations

import re
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import msgspec
import pytest

from runtime.inspection.views import ProcessView, Snapshot
from tests.console_e2e.terminals import Programs, Terminal, interrupted
from tests.examples.sitecheck.found import found
from tests.examples.sitecheck.server import Handler, Site, serve
from tests.examples.sitecheck.slow_site import SlowSite

PAGES = 100
PROMPT = "sitecheck>"


class Crawl:
    """A crawl that is going on, and everything a test starts to look into it."""

    def __init__(
        self,
        programs: Programs,
        service: subprocess.Popen[str],
        slow: SlowSite,
        site: Site,
        gate: threading.Event,
    ) -> None:
        self.programs = programs
        self.service = service
        self.slow = slow
        self.site = site
        self.gate = gate

    def attached(self) -> Terminal:
        user = self.programs.otp("attach")
        user.wait_for(PROMPT)
        return user

    def process(self, name: str) -> ProcessView:
        done = self.programs.ask("tree", "--json")
        assert (done.returncode, done.stderr) == (0, "")
        tree = msgspec.json.decode(done.stdout, type=Snapshot)
        (one,) = [one for one in tree.processes if one.name == name]
        return one

    def check_result(self, database: Path) -> None:
        """What is stored is what a crawl finds that nobody has looked into."""
        assert self.service.wait(30) == 0
        assert found(self.site.url, database).statuses == {
            self.site.at(path): status for path, status in self.slow.statuses.items()
        }


@pytest.fixture
def crawl(programs: Programs, tmp_path: Path) -> Iterator[Crawl]:
    slow, gate = SlowSite(pages=PAGES), threading.Event()
    page = slow.routes["/7"]
    assert callable(page)
    slow.routes["/7"] = held(page, gate)
    with ExitStack() as stack:
        stack.callback(gate.set)
        site = stack.enter_context(serve(slow.routes))
        command = ("-m", "examples.sitecheck", site.url, "--db", str(tmp_path / "site.db"))
        service = stack.enter_context(
            programs.service(*command, "--timeout", "100", "--quiet", "--console")
        )
        stack.callback(gate.set)
        yield Crawl(programs, service, slow, site, gate)


def held(route: Callable[[Handler], None], gate: threading.Event) -> Callable[[Handler], None]:
    """A page that is not there before the gate is open, so that the crawl cannot end."""

    def route_when_open(handler: Handler) -> None:
        gate.wait()
        route(handler)

    return route_when_open


def test_whatever_is_done_at_the_prompt_the_crawl_ends_as_it_would(
    crawl: Crawl, tmp_path: Path
) -> None:
    user, other = crawl.attached(), crawl.attached()
    user.type("tree()\r")
    user.wait_for("frontier")
    user.wait_for(PROMPT)
    user.type("from examples.sitecheck.frontier import GetProgress\r")
    user.wait_for(PROMPT)
    user.type("await named('frontier').call(GetProgress())\r")
    user.wait_for(r"Progress\(done=\d+, total=\d+\)")
    user.type("state('store')\r")
    user.wait_for(r"\{'crawl'")
    user.type("1 +\r")
    user.wait_for("SyntaxError")
    user.wait_for(PROMPT)
    user.type("import trio\r")
    user.wait_for(PROMPT)

    # Two at once: each has names of its own and sees its own output.
    other.type("mine = 'o' + 'ther'\r")
    other.wait_for(PROMPT)
    user.type("mine\r")
    user.wait_for("NameError")
    other.type("mine\r")
    other.wait_for("'other'")

    interrupted(user, "await trio.sleep(1000)", PROMPT)
    interrupted(user, "while True: pass", PROMPT)

    # A client that is killed in the middle of an evaluation is cleaned up after.
    other.type("print('be' + 'gun'); await trio.sleep(1000)\r")
    other.wait_for("begun")
    other.program.kill()

    user.type("kill('client')\r")
    user.wait_for(PROMPT)
    user.type("tree()\r")
    user.wait_for("client")
    user.wait_for(PROMPT)
    assert crawl.process("client").restarts == 1

    crawl.gate.set()
    user.wait_for("the service is stopping")
    assert user.left() == 2
    crawl.check_result(tmp_path / "site.db")
    assert list(crawl.programs.sockets.glob("*.sock")) == []


def test_garbage_is_refused_and_the_crawl_goes_on(crawl: Crawl) -> None:
    (path,) = crawl.programs.sockets.glob("*.sock")
    for garbage in (b"GET / HTTP/1.1\r\n\r\n", b"\xff\xff\xff\xff", b"\0\0\0\x02ab"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as raw:
            raw.settimeout(30)
            raw.connect(str(path))
            raw.sendall(garbage)
            answer = b""
            with suppress(ConnectionResetError):  # what it did not read is left behind
                while chunk := raw.recv(4096):
                    answer += chunk
        assert b"refused" in answer
    assert re.search("frontier", crawl.programs.ask("tree").stdout)


def test_top_looks_on(crawl: Crawl) -> None:
    watching = crawl.programs.otp("top")
    watching.wait_for("sitecheck +\\d+ processes")
    watching.wait_for("frontier")
    before = time.monotonic()
    watching.wait_for("sitecheck +\\d+ processes")
    watching.wait_for("sitecheck +\\d+ processes")
    assert time.monotonic() - before > 0.5
    watching.type("q")
    assert watching.left() == 0
