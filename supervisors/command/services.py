"""Which of the running services is meant, and what each says of itself."""

from __future__ import annotations

from pathlib import Path

import msgspec

from runtime.console.places import Place, PlaceRefused, directory, fitting, running
from supervisors.command.client import connect
from supervisors.command.problems import NoService, Problem


class ServiceView(msgspec.Struct, frozen=True):
    """A running service; without ``os_pid`` and ``up`` if it gave no answer: ``problem`` says why.

    A service that is stuck answers all the same.
    """

    name: str
    socket: str
    os_pid: int | None = None
    python: str | None = None
    up: float | None = None
    problem: str | None = None


def socket_of(service: str | None) -> Path:
    """The socket of the service that is called so, or begins so; of the only one without a name.

    What has a ``/`` in it is a socket itself. Raises ``NoService`` if that is not exactly one.
    """
    if service is not None and "/" in service:
        return Path(service)
    places = _running()
    if not places:
        raise NoService(
            f"no service has a console in {directory()}; one has with run(..., console=True)"
        )
    found = places if service is None else fitting(service, places)
    names = ", ".join(sorted(place.name for place in found or places))
    match found:
        case [place]:
            return Path(place.path)
        case []:
            raise NoService(f"no service {service!r} is running; running: {names}")
        case _ if service is None:
            raise NoService(f"which service? running: {names}")
        case _:
            raise NoService(f"{service!r} may be more than one: {names}")


def services() -> list[ServiceView]:
    """Every running service of this user, asked what it is."""
    return [_asked(place) for place in _running()]


def _running() -> list[Place]:
    try:
        return running()
    except (PlaceRefused, OSError) as exc:
        raise NoService(str(exc)) from exc


def _asked(place: Place) -> ServiceView:
    try:
        client = connect(Path(place.path), _unheard)
    except Problem as exc:
        return ServiceView(place.name, place.path, problem=str(exc))
    client.close()
    hello = client.welcome
    return ServiceView(place.name, place.path, hello.os_pid, hello.python, hello.up)


def _unheard(text: str) -> None:
    """Nobody evaluates anything here."""
