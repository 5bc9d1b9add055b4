"""The command at a terminal, attached to a small service: what blocks, crashes and is stuck."""

from __future__ import annotations

import msgspec
import pytest

from runtime.console.frames import AskStack, InfoView, StackView
from runtime.inspection.views import CrashView, Snapshot
from supervisors.command.client import connect
from tests.console_e2e.terminals import Programs, interrupted

SMALL = ("-c", "from tests.console_e2e.stuck_service import main; main()")
IMPORT = "from tests.console_e2e.stuck_service import *\r"
PROMPT = "small>"


def test_the_commands_for_programs(programs: Programs) -> None:
    with programs.service(*SMALL):
        listed = msgspec.json.decode(programs.ask("list", "--json").stdout)
        assert [one["name"] for one in listed] == ["small"]
        tree = msgspec.json.decode(programs.ask("tree", "--json").stdout, type=Snapshot)
        assert {"small", "counter", "blocker"} <= {one.name for one in tree.processes}
        info = msgspec.json.decode(programs.ask("info", "counter", "--json").stdout, type=InfoView)
        assert info.process.name == "counter"
        done = programs.ask("eval", "1 + 1")
        assert (done.returncode, done.stdout, done.stderr) == (0, "2\n", "")
        done = programs.ask("eval", "print('out'); 1/0")
        assert (done.returncode, done.stdout) == (1, "out\n")
        assert done.stderr.endswith("ZeroDivisionError: division by zero\n")
        done = programs.ask("info", "nobody")
        assert (done.returncode, done.stdout) == (1, "")
        assert "nobody" in done.stderr


def test_crashes_are_kept_as_text(programs: Programs) -> None:
    with programs.service(*SMALL):
        code = "from tests.console_e2e.stuck_service import *; named('counter').cast(Fail())"
        assert programs.ask("eval", code).returncode == 0
        found = programs.ask("crashes", "--json").stdout
        (crash,) = msgspec.json.decode(found, type=list[CrashView])
        assert (crash.name, crash.reason) == ("counter", "ValueError('told to')")
        assert 'raise ValueError("told to")' in crash.traceback


def test_a_stuck_loop_is_seen_at_once(programs: Programs) -> None:
    with programs.service(*SMALL) as service:
        code = "from tests.console_e2e.stuck_service import *; named('blocker').cast(Block(5.0))"
        assert programs.ask("eval", code).returncode == 0
        client = connect(next(programs.sockets.glob("*.sock")), print)
        answered = client.ask(AskStack, StackView)  # after five seconds it would be nowhere
        client.close()
        assert (answered.name, answered.handler) == ("blocker", "Blocker.hold_up")
        done = programs.ask("stack", "--json")
        stack = msgspec.json.decode(done.stdout, type=StackView)
        assert (stack.name, stack.handler) == ("blocker", "Blocker.hold_up")
        service.terminate()
        _, errors = service.communicate(timeout=30)
    said = [msgspec.json.decode(one) for one in errors.splitlines()]
    (stalled,) = [one for one in said if "stalled" in one["event"] or "hold_up" in str(one)]
    assert (stalled["name"], stalled["handler"]) == ("blocker", "Blocker.hold_up")


def test_without_a_service_it_says_so(programs: Programs) -> None:
    for command in (["attach"], ["top"]):
        terminal = programs.otp(*command)
        terminal.wait_for("otp: no service has a console in ")
        assert terminal.left() == 2
    wrong = programs.sockets / "x.sock"
    wrong.write_text("no socket")
    done = programs.ask("tree", str(wrong))
    assert (done.returncode, done.stderr) == (
        2,
        f"otp: {wrong}: nobody answers there: the service has ended\n",
    )


def test_a_conversation(programs: Programs) -> None:
    with programs.service(*SMALL):
        user = programs.otp("attach")
        user.wait_for("h\\(\\) lists the helpers")
        user.wait_for(PROMPT)
        user.type(IMPORT)
        user.wait_for(PROMPT)
        user.type("named('counter').cast(Add())\r")
        user.wait_for(PROMPT)
        user.type("await named('counter').call(Get())\r")
        user.wait_for("\n1\n")
        user.type("_ + 41\r")
        user.wait_for("\n42\n")
        user.type('state("coun\t")\r')
        user.wait_for("\n{'count': 1}\n")
        user.type("for n in range(2):\rprint('line', n)\r\r")
        user.wait_for("\nline 0\nline 1\n")
        user.type("1 +\r")
        user.wait_for("SyntaxError")
        user.wait_for(PROMPT)
        user.type("import trio\r")
        user.wait_for(PROMPT)
        interrupted(user, "await trio.sleep(1000)", PROMPT)
        interrupted(user, "while True: pass", PROMPT)
        user.type("\x04")
        assert user.left() == 0


def test_the_service_ends_while_somebody_is_attached(programs: Programs) -> None:
    with programs.service(*SMALL) as service:
        user = programs.otp("attach")
        user.wait_for(PROMPT)
        watching = programs.otp("top")
        watching.wait_for("counter")
        service.terminate()
        user.wait_for("the service is stopping")
        assert user.left() == 2
        watching.wait_for("the service is stopping")
        assert watching.left() == 2
        assert service.wait(30) == 0
        assert list(programs.sockets.glob("*.sock")) == []


def test_top_kills_after_a_question(programs: Programs) -> None:
    with programs.service(*SMALL):
        watching = programs.otp("top")
        watching.wait_for("counter")
        watching.type("/counter\r")
        watching.wait_for("find: counter")
        watching.type("\r")
        watching.wait_for("handled +0")
        watching.type("t")
        watching.wait_for("trace")
        watching.type("k")
        watching.wait_for(r"kill counter <\d+>\? y or n")
        watching.type("y")
        watching.wait_for("this process has ended")
        watching.type("qq")
        assert watching.left() == 0
        (counter,) = [
            one
            for one in msgspec.json.decode(
                programs.ask("tree", "--json").stdout, type=Snapshot
            ).processes
            if one.name == "counter"
        ]
        assert counter.restarts == 1


@pytest.mark.parametrize("where", ["children", "tree"])
def test_a_tree_and_a_prompt_in_one_process(programs: Programs, where: str) -> None:
    user = programs.otp("repl", f"tests.console_e2e.stuck_service:{where}")
    if where == "tree":
        user.wait_for("has no attribute 'tree'")
        assert user.left() == 2
        return
    user.wait_for("stuck_service>")
    user.type("state('counter')\r")
    user.wait_for("{'count': 0}")
    user.type("named('counter').stop\r")
    user.wait_for("stuck_service>")
    interrupted(user, "while True: pass", "stuck_service>")
    user.type("\x04")
    assert user.left() == 0
