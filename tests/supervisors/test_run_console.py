"""``run`` and ``open_supervisor`` with a console: who comes first, what it is called, its end."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trio

from runtime import Instrument, Node, ProcessEnded, ProcessStarted, child_spec, named, wait_exit
from runtime.console.frames import Act, Goodbye
from runtime.console.places import running
from supervisors import open_supervisor, run
from supervisors.run import program
from tests.consoles import attached, own_sockets
from tests.support import captured_logs

pytestmark = pytest.mark.real_clock


async def finish() -> None:
    """A task that is done at once."""


def significant(task: Callable[..., Any], *args: Any) -> Any:
    spec = child_spec(task, *args)
    return spec.replace(restart="transient", significant=True)


def test_a_service_can_be_attached_to_while_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[object] = []

    async def attach() -> None:
        (place,) = running()
        async with attached(place.path) as client:
            seen.append(place.name)
            seen.append(await client.run("names()"))
            seen.append(await client.run("runtime.__name__"))

    with own_sockets(monkeypatch) as home, captured_logs():
        run([significant(attach)], name="shop", auto_shutdown="any_significant", console=True)
        assert list(home.iterdir()) == []
    assert seen == ["shop", "['otp', 'otp.console', 'otp.watchdog', 'shop']", "'runtime'"]


def test_without_a_name_it_is_called_as_the_program_is(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    async def look() -> None:
        seen.extend(place.name for place in running())

    monkeypatch.setattr(sys, "argv", ["/usr/bin/shop.py"])
    with own_sockets(monkeypatch), captured_logs():
        run([significant(look)], auto_shutdown="any_significant", console=True)
        run([significant(look)], auto_shutdown="any_significant")
    assert seen == ["shop"]


@pytest.mark.parametrize(
    ("argv", "name"),
    [
        (["/srv/shop/__main__.py"], "shop"),
        (["shop.py", "-v"], "shop"),
        (["/bin/shop"], "shop"),
        ([""], "python"),
        ([], "python"),
    ],
)
def test_what_a_program_is_called(
    monkeypatch: pytest.MonkeyPatch, argv: list[str], name: str
) -> None:
    monkeypatch.setattr(sys, "argv", argv)
    assert program() == name


async def test_it_comes_before_the_tree_and_goes_after_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log: list[str] = []

    def note(event: object) -> None:
        assert isinstance(event, ProcessStarted | ProcessEnded)
        log.append(f"{'+' if isinstance(event, ProcessStarted) else '-'}{event.name}")

    instrument = Instrument(note, (ProcessStarted, ProcessEnded))
    with own_sockets(monkeypatch):
        async with open_supervisor([], name="shop", console=True, instruments=[instrument]):
            pass
    assert log == [
        "+otp", "+otp.console", "+shop", "-shop", "-otp.console", "-otp",
    ]  # fmt: skip


async def test_a_service_that_stops_tells_its_clients(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    with own_sockets(monkeypatch):
        manager = open_supervisor([], name="shop", console=True)
        await manager.__aenter__()
        (place,) = running()
        async with attached(place.path) as client:
            await client.run("1")
            await manager.__aexit__(None, None, None)
            assert await client.read() == Goodbye("the service is stopping")
            assert await client.read() is None
        assert running() == []


async def test_its_end_never_touches_the_tree(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    child = child_spec(trio.sleep_forever).replace(name="child")
    with own_sockets(monkeypatch):
        async with open_supervisor([child], name="shop", console=True):
            before = named("child").pid
            for _ in range(5):  # more than its supervisor takes
                (place,) = running() or (None,)
                if place is None:
                    break
                console = named("otp.console").pid
                async with attached(place.path) as client:
                    await client.send(Act(1, "kill", "otp.console"))
                    await wait_exit(console)
                    if named("otp").whereis() is not None:
                        await trio.sleep(0.05)
            assert named("otp").whereis() is None
            assert named("child").pid is before


async def test_without_a_safe_place_the_service_runs_on(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    with own_sockets(monkeypatch) as home, captured_logs() as logs:
        home.mkdir()
        home.chmod(0o755)
        async with open_supervisor([], name="shop", console=True):
            assert named("otp.console").whereis() is None
        (line,) = [one for one in logs if one["event"].startswith("not started")]
    assert line["child"] == "otp.console"
    assert "has mode 0755, allowed is 0700" in line["error"]


async def test_it_needs_a_name(node: Node) -> None:
    with pytest.raises(ValueError, match=r"^console=True needs name=, which is what `otp attach`"):
        open_supervisor([], console=True)


async def test_it_is_on_or_off(node: Node) -> None:
    with pytest.raises(TypeError, match=r"^console: got 'yes', allowed are True and False$"):
        open_supervisor([], name="x", console="yes")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def test_a_program_without_one_has_no_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    with own_sockets(monkeypatch) as home, captured_logs():
        run([significant(finish)], auto_shutdown="any_significant")
        assert not Path(home).exists()
