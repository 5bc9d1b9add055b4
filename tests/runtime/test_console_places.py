"""``console.places``: the directory, what is refused, what is stale and what is live."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.console.places import (
    SOCKETS,
    Place,
    PlaceRefused,
    check_directory,
    directory,
    fitting,
    listen,
    release,
    running,
)
from tests.consoles import own_sockets


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with own_sockets(monkeypatch) as path:
        yield path


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_directory_is_the_one_that_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SOCKETS, "/a/b")
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/7")
    assert directory() == Path("/a/b")
    monkeypatch.delenv(SOCKETS)
    assert directory() == Path("/run/user/7/trio-otp")
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    assert directory() == Path(f"/tmp/trio-otp-{os.geteuid()}")


def test_socket_and_directory_are_for_their_owner_alone(home: Path) -> None:
    assert running() == []
    listener, place = listen("shop")
    with listener:
        assert place == Place("shop", str(home / "shop.sock"))
        assert (mode(home), mode(home / "shop.sock")) == (0o700, 0o600)
        assert running() == [place]
        release(listener, place)
    assert list(home.iterdir()) == []
    assert running() == []


def test_a_name_may_be_anything(home: Path) -> None:
    listener, place = listen("../a b/ü%")
    with listener:
        assert Path(place.path).parent == home
        assert running() == [Place("../a b/ü%", place.path)]


def test_a_stale_socket_is_replaced(home: Path) -> None:
    first, _ = listen("shop")
    first.close()
    assert (home / "shop.sock").exists()
    assert running() == []
    second, place = listen("shop")
    with second:
        assert place.name == "shop"
        assert running() == [place]


def test_a_live_one_is_never_stolen(home: Path) -> None:
    first, place = listen("shop")
    second, other = listen("shop")
    with first, second:
        assert other.name == f"shop-{os.getpid()}"
        assert running() == [other, place]
        with pytest.raises(PlaceRefused, match="this program has a console of that name already"):
            listen("shop")
        release(second, other)
        assert running() == [place]


def test_a_socket_without_room_for_another_client_is_live(home: Path) -> None:
    listener, place = listen("shop")
    clients: list[socket.socket] = []
    with listener:
        for _ in range(100):
            client = socket.socket(socket.AF_UNIX)
            clients.append(client)
            client.setblocking(False)
            try:
                client.connect(place.path)
            except BlockingIOError:
                break
        else:
            pytest.fail("it was never full")
        assert running() == [place]
        for client in clients:
            client.close()


def test_who_took_the_place_keeps_it(home: Path) -> None:
    first, place = listen("shop")
    Path(place.path).unlink()
    second, same = listen("shop")
    with second:
        assert same == place
        release(first, place)
        assert running() == [place]


def test_a_release_without_a_directory_is_no_error(home: Path) -> None:
    listener, place = listen("shop")
    Path(place.path).unlink()
    home.rmdir()
    release(listener, place)
    assert listener.fileno() == -1


def test_what_is_no_socket_is_in_the_way(home: Path) -> None:
    home.mkdir(mode=0o700)
    (home / "shop.sock").write_text("mine")
    with pytest.raises(PlaceRefused, match=r"shop\.sock is no socket and is in the way$"):
        listen("shop")
    assert (home / "shop.sock").read_text() == "mine"
    assert running() == []


def test_a_directory_that_others_can_enter_is_refused(home: Path) -> None:
    home.mkdir()
    home.chmod(0o750)
    with pytest.raises(PlaceRefused, match=r"mode 0750, allowed is 0700: `chmod 700 /.*`, or"):
        listen("shop")
    with pytest.raises(PlaceRefused, match="has mode 0750"):
        running()


def test_a_directory_of_somebody_else_is_refused(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.mkdir(mode=0o700)
    me = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: me + 1)
    expected = rf"belongs to user {me}, allowed is user {me + 1}; set \$TRIO_OTP_SOCKETS"
    with pytest.raises(PlaceRefused, match=expected):
        listen("shop")


def test_a_link_is_no_directory(home: Path, tmp_path: Path) -> None:
    home.symlink_to(tmp_path)
    with pytest.raises(PlaceRefused, match=r"is no directory; set \$TRIO_OTP_SOCKETS to another"):
        check_directory(home)
    with pytest.raises(PlaceRefused, match="is no directory"):
        listen("shop")


def test_a_path_that_is_too_long_names_the_way_out(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SOCKETS, str(home / ("x" * 100)))
    with pytest.raises(PlaceRefused, match=r"\$TRIO_OTP_SOCKETS can name another directory"):
        listen("shop")


def test_a_name_means_itself_or_what_begins_with_it() -> None:
    places = [Place(name, f"/{name}.sock") for name in ("shop", "shop-12", "store")]
    assert fitting("shop", places) == places[:1]
    assert fitting("sho", places) == places[:2]
    assert fitting("x", places) == []
