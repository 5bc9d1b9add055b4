from __future__ import annotations

import pytest

from examples.codesearch.symbols import Symbol, symbols_of
from tests.examples.codesearch.trees import ZOO


def names(source: str) -> list[str]:
    return [f"{one.kind} {one.name}:{one.line}" for one in symbols_of(source, "m")]


def test_a_module_its_classes_and_its_functions_are_found_in_order() -> None:
    assert names(str(ZOO["zoo/animals.py"])) == [
        "module m:1",
        "class m.Animal:6",
        "def m.Animal.feed:11",
        "def m.Animal.wait_until_hungry:15",
        "class m.SnowLeopard:20",
    ]


def test_each_has_its_signature_its_docstring_and_the_lines_that_are_its_own() -> None:
    module, animal, feed, wait, leopard = symbols_of(str(ZOO["zoo/animals.py"]), "zoo.animals")
    assert module == Symbol(
        "module",
        "zoo.animals",
        1,
        "",
        "What lives in a zoo.",
        '"""What lives in a zoo."""\n\nLEGS = 4\n\n\n\n\n',
    )
    assert animal.signature == "class Animal"
    assert animal.text == (
        'class Animal:\n    """Anything that breathes."""\n\n    legs = LEGS\n\n'
    )
    assert feed.signature == "def feed(self, food: str, *, grams: int=100) -> bool"
    assert feed.doc == "Give it something to eat."
    assert feed.text.splitlines()[-1] == "        return bool(food)"
    assert wait.signature == "async def wait_until_hungry(self) -> None"
    assert wait.doc == ""
    assert leopard.signature == "class SnowLeopard(Animal)"


def test_a_decorator_belongs_to_the_text_and_the_line_is_that_of_the_name() -> None:
    _, one = symbols_of("import a\n@a.b\n@a.c\ndef f(): pass\n", "m")
    assert (one.line, one.text) == (4, "@a.b\n@a.c\ndef f(): pass")


def test_what_stands_in_a_branch_is_found_and_what_is_in_a_function_is_not() -> None:
    source = """
if a:
    def one(): pass
else:
    def two(): pass
try:
    def three(): pass
except E:
    def four(): pass
finally:
    def five(): pass
with c:
    class Six:
        for x in y:
            def seven(self):
                def inner(): pass
match a:
    case 1:
        def eight(): pass
"""
    assert [one.split()[1] for one in names(source)] == [
        "m:1", "m.one:3", "m.two:5", "m.three:7", "m.four:9", "m.five:11", "m.Six:13",
        "m.Six.seven:15", "m.eight:19",
    ]  # fmt: skip


def test_a_keyword_of_a_class_is_shown_with_its_bases() -> None:
    _, one = symbols_of("class A(B, metaclass=M): pass\n", "m")
    assert one.signature == "class A(B, metaclass=M)"


def test_two_of_one_name_are_two() -> None:
    assert names("def f(): pass\ndef f(): pass\n")[1:] == ["def m.f:1", "def m.f:2"]


def test_a_docstring_is_text_that_a_database_takes() -> None:
    _, one = symbols_of('def f():\n    "a\\ud800b\\0c"\n', "m")
    assert one.doc == "a?b?c"


def test_an_empty_file_is_a_module() -> None:
    assert symbols_of("", "m") == [Symbol("module", "m", 1, "", "", "")]


@pytest.mark.parametrize("source", ["def f(:\n", "a\0b"])
def test_what_is_no_python_raises(source: str) -> None:
    with pytest.raises((SyntaxError, ValueError)):
        symbols_of(source, "m")
