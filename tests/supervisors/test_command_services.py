"""Which service is meant, with consoles played by the test in a directory of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtime.console.frames import Refused
from runtime.console.places import SOCKETS
from supervisors.command.problems import NoService
from supervisors.command.services import ServiceView, services, socket_of
from tests.supervisors.fake_console import fake_console


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    found = tmp_path / "s"
    found.mkdir(mode=0o700)
    monkeypatch.setenv(SOCKETS, str(found))
    return found


def test_without_a_service_the_user_learns_how_to_have_one(home: Path) -> None:
    with pytest.raises(
        NoService, match=r"no service has a console in .* with run\(\.\.\., console=True\)"
    ):
        socket_of(None)
    assert services() == []


def test_the_only_one_needs_no_name(home: Path) -> None:
    with fake_console(home / "shop.sock"):
        assert socket_of(None) == home / "shop.sock"
        assert socket_of("shop") == home / "shop.sock"
        assert socket_of("sh") == home / "shop.sock"
        with pytest.raises(NoService, match="no service 'x' is running; running: shop"):
            socket_of("x")


def test_of_several_one_must_be_named(home: Path) -> None:
    with fake_console(home / "shop.sock"), fake_console(home / "ship.sock"):
        with pytest.raises(NoService, match=r"which service\? running: ship, shop"):
            socket_of(None)
        with pytest.raises(NoService, match="'sh' may be more than one: ship, shop"):
            socket_of("sh")
        assert socket_of("sho") == home / "shop.sock"


def test_a_path_is_a_socket(home: Path) -> None:
    assert socket_of("./x.sock") == Path("x.sock")


def test_a_directory_for_everybody_is_refused(home: Path) -> None:
    home.chmod(0o755)
    with pytest.raises(NoService, match="mode 0755, allowed is 0700"):
        socket_of(None)


def test_each_says_what_it_is(home: Path) -> None:
    with fake_console(home / "a.sock"), fake_console(home / "b.sock") as refusing:
        refusing.welcome = [Refused("no"), b""]
        assert services() == [
            ServiceView("a", str(home / "a.sock"), 4711, "3.11.7", 65.0),
            ServiceView("b", str(home / "b.sock"), problem="the service refused: no"),
        ]
