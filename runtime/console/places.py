"""Where the sockets of consoles are: a directory of ours alone, in it one socket for each service.

A socket outlives a service that was killed. Whether anybody is behind one is asked by connecting:
a stale one is taken away, a live one never. Two services that come at the same moment are kept
apart by a lock on the directory.
"""

from __future__ import annotations

import fcntl
import os
import socket
import stat
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final
from urllib.parse import quote, unquote

import msgspec

SOCKETS: Final = "TRIO_OTP_SOCKETS"
"""The environment variable that names another directory."""

_SUFFIX: Final = ".sock"
_BACKLOG: Final = 64


class PlaceRefused(Exception):
    """The directory, or what stands in it, is not what can be trusted."""


class Place(msgspec.Struct, frozen=True):
    """The socket of one service. ``name`` is the service's, with ``-OSPID`` if it was taken."""

    name: str
    path: str


def directory() -> Path:
    """Where this user's sockets are: $TRIO_OTP_SOCKETS, $XDG_RUNTIME_DIR/trio-otp, or in /tmp."""
    if chosen := os.environ.get(SOCKETS):
        return Path(chosen).absolute()  # the program may go elsewhere
    if runtime_dir := os.environ.get("XDG_RUNTIME_DIR"):
        return Path(runtime_dir) / "trio-otp"
    return Path("/tmp") / f"trio-otp-{os.geteuid()}"


def check_directory(path: Path) -> None:
    """Refuse a directory in which somebody else could put a socket, or could reach ours."""
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise PlaceRefused(f"{path} is no directory; set ${SOCKETS} to another one")
    if found.st_uid != os.geteuid():
        raise PlaceRefused(
            f"{path} belongs to user {found.st_uid}, allowed is user {os.geteuid()}; "
            f"set ${SOCKETS} to another one"
        )
    if found.st_mode & 0o077:
        raise PlaceRefused(
            f"{path} has mode {stat.S_IMODE(found.st_mode):04o}, allowed is 0700: "
            f"`chmod 700 {path}`, "
            f"or set ${SOCKETS} to another one"
        )


def running() -> list[Place]:
    """The services of this user that have a console, by name. Stale sockets are left out."""
    home = directory()
    try:
        check_directory(home)
    except FileNotFoundError:
        return []
    found = (
        Place(unquote(path.name.removesuffix(_SUFFIX)), str(path))
        for path in sorted(home.glob(f"*{_SUFFIX}"))
    )
    return [place for place in found if _is_live(Path(place.path))]


def fitting(name: str, places: list[Place]) -> list[Place]:
    """Those that ``name`` may mean: the one called so, or else all that begin with it."""
    exact = [place for place in places if place.name == name]
    return exact or [place for place in places if place.name.startswith(name)]


def listen(name: str) -> tuple[socket.socket, Place]:
    """A socket, mode 0600, that listens in the place of a service ``name``.

    ``PlaceRefused`` if the directory is not what it must be.
    """
    home = directory()
    with suppress(FileExistsError):
        home.mkdir(mode=0o700, parents=True)
    check_directory(home)
    with _locked(home):
        path = home / f"{quote(name, safe='')}{_SUFFIX}"
        if _clear(path):
            return _bound(path), Place(name, str(path))
        name = f"{name}-{os.getpid()}"
        path = home / f"{quote(name, safe='')}{_SUFFIX}"
        if _clear(path):
            return _bound(path), Place(name, str(path))
    raise PlaceRefused(f"{path} is in use: this program has a console of that name already")


def _bound(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.bind(str(path))
        path.chmod(0o600)
        listener.listen(_BACKLOG)  # still under the lock: until then it looks stale
    except OSError as exc:
        listener.close()
        raise PlaceRefused(f"{path}: {exc}; ${SOCKETS} can name another directory") from exc
    return listener


def release(listener: socket.socket, place: Place) -> None:
    """Take the socket away, if it is still ours."""
    path = Path(place.path)
    with suppress(OSError), _locked(path.parent):
        listener.close()
        if not _is_live(path):  # somebody else may have put theirs there
            path.unlink()
    listener.close()


def _clear(path: Path) -> bool:
    """Whether there is room for a socket: nothing was there, or a stale one that is gone now."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return True
    if not stat.S_ISSOCK(found.st_mode):
        raise PlaceRefused(f"{path} is no socket and is in the way")
    if _is_live(path):
        return False
    path.unlink()
    return True


def _is_live(path: Path) -> bool:
    """Whether somebody listens. One that has no room for another client listens too."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            probe.connect(str(path))
        except BlockingIOError:
            return True
        except OSError:
            return False
    return True


@contextmanager
def _locked(home: Path) -> Generator[None]:
    """Only one at a time looks and binds. The lock goes with the descriptor."""
    descriptor = os.open(home, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
