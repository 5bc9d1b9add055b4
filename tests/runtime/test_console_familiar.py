"""What needs no import at the prompt."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from runtime import Call, GenServer, Node, handles
from runtime.console.familiar import familiar, learn, modules, used


class Question(Call[int]):
    """What the server below is asked."""


class Oracle(GenServer):
    @handles(Question)
    def question(self, request: Question) -> int:
        return 42


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("await named('x').call(Get())", {"named", "Get"}),
        ("x = 1", {"x"}),
        ("def f(): return g", {"g"}),
        ("nonsense nonsense", set()),
        ("\0", set()),
    ],
)
def test_the_names_of_a_source(source: str, names: set[str]) -> None:
    assert used(source) == names


async def test_what_a_living_server_is_asked_needs_no_import(node: Node) -> None:
    names: dict[str, object] = {}
    learn("Question()", names)
    assert names == {}, "there is no such server yet"
    server = await Oracle.start()
    learn("Question(), Oracle, nobody_knows_this, _private, len", names)
    assert names == {"Question": Question, "Oracle": Oracle}
    await server.stop()
    assert sys.modules[__name__] not in modules()


async def test_what_the_session_has_defined_comes_first(node: Node) -> None:
    await Oracle.start()
    names: dict[str, object] = {"Question": 1}
    learn("Question", names)
    assert names == {"Question": 1}


async def test_the_main_module_is_always_there(node: Node) -> None:
    assert modules() == [sys.modules["__main__"]]


def module(name: str, **names: object) -> ModuleType:
    made = ModuleType(name)
    vars(made).update(names)
    return made


def test_a_name_that_means_two_things_must_be_imported() -> None:
    same = object()
    one = module("one", Get=1, same=same, only=3, _hidden=4)
    other = module("other", Get=2, same=same)
    assert familiar([one, other]) == {"same": same, "only": 3}
