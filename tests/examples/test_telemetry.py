from __future__ import annotations

from tests.examples.programs import finish

BEFORE = """\
the shop has crashed and is restarted
two deliveries are under way, and no more
"""

AFTER = {
    "trio_otp.call.duration s": {
        "2 {'trio_otp.request': 'Buy'}",
        "1 {'trio_otp.request': 'Buy', 'error.type': 'exit'}",
        "2 {'trio_otp.request': 'StartTask'}",
        "1 {'trio_otp.request': 'StartTask', 'error.type': 'error'}",
        "2 {'trio_otp.request': 'Acquire'}",
    },
    "trio_otp.limiter.wait_time s": {"2 {'trio_otp.limiter.name': 'supplier'}"},
    "trio_otp.mailbox.message.count {message}": {
        "0 {'trio_otp.behaviour': 'Supervisor'}",
        "0 {'trio_otp.behaviour': 'RateLimiter'}",
        "0 {'trio_otp.behaviour': 'TaskSupervisor'}",
        "0 {'trio_otp.behaviour': 'Shop'}",
        "0 {'trio_otp.behaviour': 'deliver'}",
    },
    "trio_otp.mailbox.message.max {message}": {
        "0 {'trio_otp.behaviour': 'Supervisor'}",
        "0 {'trio_otp.behaviour': 'RateLimiter'}",
        "0 {'trio_otp.behaviour': 'TaskSupervisor'}",
        "0 {'trio_otp.behaviour': 'Shop'}",
        "0 {'trio_otp.behaviour': 'deliver'}",
    },
    "trio_otp.process.count {process}": {
        "1 {'trio_otp.behaviour': 'Supervisor'}",
        "1 {'trio_otp.behaviour': 'RateLimiter'}",
        "1 {'trio_otp.behaviour': 'TaskSupervisor'}",
        "1 {'trio_otp.behaviour': 'Shop'}",
        "2 {'trio_otp.behaviour': 'deliver'}",
    },
    "trio_otp.process.crashes {crash}": {
        "1 {'trio_otp.behaviour': 'Shop', 'error.type': 'ValueError'}"
    },
    "trio_otp.supervisor.refusals {refusal}": {"1 {'trio_otp.supervisor.name': 'deliveries'}"},
    "trio_otp.supervisor.restarts {restart}": {"1 {'trio_otp.behaviour': 'Shop'}"},
}


def test_the_figures_say_what_has_happened() -> None:
    done = finish("examples/telemetry.py")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(BEFORE)
    figures: dict[str, list[str]] = {}
    for line in done.stdout.removeprefix(BEFORE).splitlines():
        if line.startswith("    "):
            figures[next(reversed(figures))].append(line.strip())
        else:
            figures[line] = []
    assert {name: set(points) for name, points in figures.items()} == AFTER
    assert {name: len(points) for name, points in figures.items()} == {
        name: len(points) for name, points in AFTER.items()
    }
