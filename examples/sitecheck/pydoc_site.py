"""The site that ``make run`` checks: the documentation of the standard library, on loopback.

A program of its own, started by ``site_process`` and importing nothing but the standard library::

    python -I pydoc_site.py [--modules N] [--port PORT]

It renders the modules below with what ``pydoc -w`` calls, adds a start page that links to each of
them, serves the files on a free port of 127.0.0.1, prints the address, and ends when its standard
input does, so that it never outlives whoever started it. What a page links to outside the list is
not there and answers 404.
"""

import argparse
import contextlib
import html
import http.server
import os
import pydoc
import signal
import sys
import tempfile
import threading
import warnings
from collections.abc import Sequence
from pathlib import Path

# In every Python from 3.11 on; one that a platform lacks is left out. Not here: what prints, opens
# a window or a browser when it is imported, and what later releases have removed.
MODULES = """
    abc argparse array ast asyncio asyncio.base_events asyncio.base_futures asyncio.base_tasks
    asyncio.constants asyncio.coroutines asyncio.events asyncio.exceptions asyncio.futures
    asyncio.locks asyncio.protocols asyncio.queues asyncio.runners asyncio.selector_events
    asyncio.sslproto asyncio.staggered asyncio.streams asyncio.subprocess asyncio.taskgroups
    asyncio.tasks asyncio.threads asyncio.timeouts asyncio.transports asyncio.trsock
    asyncio.unix_events atexit base64 bdb binascii bisect builtins bz2 cProfile calendar cmath
    cmd code codecs codeop collections collections.abc colorsys compileall concurrent
    concurrent.futures configparser contextlib contextvars copy copyreg csv ctypes ctypes.util
    curses curses.ascii curses.panel dataclasses datetime dbm dbm.dumb decimal difflib dis
    doctest email email.base64mime email.charset email.contentmanager email.encoders
    email.errors email.feedparser email.generator email.header email.headerregistry
    email.iterators email.message email.mime email.parser email.policy email.quoprimime
    email.utils encodings encodings.aliases encodings.ascii encodings.cp1252 encodings.idna
    encodings.latin_1 encodings.punycode encodings.utf_16 encodings.utf_8 enum errno
    faulthandler fcntl filecmp fileinput fnmatch fractions ftplib functools gc genericpath
    getopt getpass gettext glob graphlib grp gzip hashlib heapq hmac html html.entities
    html.parser http http.client http.cookiejar http.cookies http.server imaplib importlib
    importlib.abc importlib.machinery importlib.metadata importlib.resources importlib.util
    inspect io ipaddress itertools json json.decoder json.encoder json.scanner json.tool keyword
    linecache locale logging logging.config logging.handlers lzma mailbox marshal math mimetypes
    mmap modulefinder multiprocessing multiprocessing.connection multiprocessing.context
    multiprocessing.dummy multiprocessing.forkserver multiprocessing.heap
    multiprocessing.managers multiprocessing.pool multiprocessing.popen_fork
    multiprocessing.popen_spawn_posix multiprocessing.process multiprocessing.queues
    multiprocessing.reduction multiprocessing.resource_tracker multiprocessing.shared_memory
    multiprocessing.sharedctypes multiprocessing.spawn multiprocessing.synchronize
    multiprocessing.util netrc ntpath numbers opcode operator optparse os pathlib pdb pickle
    pickletools pkgutil platform plistlib poplib posixpath pprint profile pstats pwd py_compile
    pyclbr pydoc queue quopri random re reprlib resource runpy sched secrets select selectors
    shelve shlex shutil signal site smtplib socket socketserver sqlite3 sqlite3.dbapi2
    sqlite3.dump ssl stat statistics string stringprep struct subprocess symtable sys sysconfig
    tabnanny tarfile tempfile textwrap threading time timeit token tokenize tomllib trace
    traceback tracemalloc tty types typing unicodedata unittest unittest.async_case
    unittest.case unittest.loader unittest.main unittest.mock unittest.result unittest.runner
    unittest.signals unittest.suite unittest.util urllib urllib.error urllib.parse
    urllib.request urllib.response urllib.robotparser uuid venv warnings wave weakref webbrowser
    wsgiref wsgiref.handlers wsgiref.headers wsgiref.simple_server wsgiref.types wsgiref.util
    wsgiref.validate xml xml.dom xml.etree xml.parsers xml.sax xmlrpc xmlrpc.client
    xmlrpc.server zipapp zipfile zipimport zlib zoneinfo
""".split()


def render(names: Sequence[str], directory: Path, closed: threading.Event) -> list[str]:
    """Write ``<name>.html`` for each module into ``directory``; return the names that went well.

    Give up half-way when ``closed`` says that nobody waits for the site any more.
    """
    warnings.simplefilter("ignore")
    # A rendering must not depend on who runs it: pydoc shows values such as `sys.argv`.
    sys.argv[:] = ["pydoc"]
    os.chdir(directory)  # `pydoc -w` writes to the working directory
    with open(os.devnull, "w") as devnull, contextlib.redirect_stdout(devnull):
        for name in names:
            if closed.is_set():
                break
            pydoc.writedoc(name)
    return [name for name in names if (directory / f"{name}.html").exists()]


def write_index(names: list[str], directory: Path) -> None:
    """Write the start page, from which every module is one link away."""
    items = "".join(f'<li><a href="{html.escape(name)}.html">{name}</a></li>\n' for name in names)
    page = f"<!DOCTYPE html>\n<title>Modules</title>\n<ul>\n{items}</ul>\n"
    (directory / "index.html").write_text(page, encoding="utf-8")


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serve files over connections that stay open, without a log line for each."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # headers and body are two writes: do not wait 40 ms between

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class Server(http.server.ThreadingHTTPServer):
    """A quiet server: a client that hangs up early is no news."""

    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing about connections that break."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


def open_server(port: int) -> Server:
    """Listen on ``port`` if it is free, otherwise on any that is."""
    try:
        return Server(("127.0.0.1", port), Handler)
    except OSError:
        return Server(("127.0.0.1", 0), Handler)


def watch_stdin() -> threading.Event:
    """An event that is set when standard input ends."""
    closed = threading.Event()

    def wait() -> None:
        sys.stdin.read()
        closed.set()

    threading.Thread(target=wait, daemon=True).start()
    return closed


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Serve pydoc pages on loopback.")
    parser.add_argument("--modules", type=int, default=len(MODULES), help="how many modules")
    parser.add_argument("--port", type=int, default=0, help="the port to take if it is free")
    return parser.parse_args()


def main() -> None:
    """Render, serve, and wait for the end of standard input."""
    # ctrl-C reaches the whole process group; whoever started this decides when it ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    options = arguments()
    closed = watch_stdin()
    with tempfile.TemporaryDirectory(prefix="sitecheck-") as directory:
        rendered = render(MODULES[: options.modules], Path(directory), closed)
        if closed.is_set():
            return
        write_index(rendered, Path(directory))
        with open_server(options.port) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            print(f"http://127.0.0.1:{server.server_address[1]}/", directory, flush=True)
            closed.wait()
            server.shutdown()
        os.chdir("/")  # some systems refuse to remove the working directory


if __name__ == "__main__":
    main()
