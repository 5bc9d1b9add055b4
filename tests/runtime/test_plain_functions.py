"""Which functions are plain ones."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from functools import partial

import pytest

from runtime.plain_functions import check_plain_function, check_takes, signature_of


def plain(text: str) -> str:
    return text


async def asynchronous() -> None: ...


async def generating() -> AsyncIterator[int]:
    yield 1


class Plain:
    def __call__(self) -> None: ...


class Asynchronous:
    async def __call__(self) -> None: ...

    async def method(self) -> None: ...


@pytest.mark.parametrize(
    "fn", [plain, partial(plain, "x"), Plain, Plain(), dict, len, Asynchronous, "x".upper]
)
def test_functions_partials_classes_and_callable_objects_are_plain(fn: object) -> None:
    check_plain_function("fn", fn, "await it")


@pytest.mark.parametrize(
    "fn",
    [
        asynchronous,
        generating,
        partial(asynchronous),
        partial(partial(asynchronous)),
        Asynchronous(),
        Asynchronous().method,
    ],
)
def test_async_functions_are_refused_with_what_to_do_instead(fn: object) -> None:
    with pytest.raises(TypeError, match=r"^fn: got .+, an async function; await it$"):
        check_plain_function("fn", fn, "await it")


@pytest.mark.parametrize("fn", [None, 5, "len"])
def test_what_cannot_be_called_is_refused(fn: object) -> None:
    with pytest.raises(TypeError, match=r"^work: got .+, allowed is a plain function, not called$"):
        check_plain_function("work", fn, "await it")


def test_a_function_says_what_it_takes_if_it_can() -> None:
    assert list(signature_of(plain).parameters) == ["text"]  # type: ignore[union-attr]
    assert signature_of(time.sleep) is None


def test_a_function_must_take_what_it_will_be_given() -> None:
    check_takes("fn", lambda args, index: None, "args", "index")
    check_takes("fn", lambda *args: None, "args", "index")
    check_takes("fn", time.sleep, "args", "index")  # it does not say
    allowed = r"^fn: got <.+>, allowed is a function of \(args, index\)$"
    with pytest.raises(TypeError, match=allowed):
        check_takes("fn", lambda args: None, "args", "index")
