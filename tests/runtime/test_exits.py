"""The closed union of exit reasons, and what a reason means."""

from __future__ import annotations

import pytest

from runtime import Crashed, ExitReason, Killed, NoProcess, Normal, Shutdown
from runtime.exits import check_reason, is_abnormal, is_clean

BOOM = Crashed(ValueError("boom"))


@pytest.mark.parametrize(
    ("reason", "abnormal", "clean"),
    [
        (Normal(), False, True),
        (Shutdown(), True, True),
        (Shutdown("why"), True, True),
        (Killed(), True, False),
        (NoProcess(), True, False),
        (BOOM, True, False),
        ("boom", True, False),
        (0, True, False),
        (False, True, False),
        ((), True, False),
    ],
)
def test_only_normal_is_harmless_to_links_and_only_normal_and_shutdown_are_clean(
    reason: ExitReason, abnormal: bool, clean: bool
) -> None:
    """PROC-031, PROC-033."""
    assert is_abnormal(reason) is abnormal
    assert is_clean(reason) is clean


def test_reasons_of_one_class_and_detail_are_equal() -> None:
    assert Normal() == Normal()
    assert Shutdown("x") == Shutdown("x")
    assert Shutdown("x") != Shutdown()


@pytest.mark.parametrize("reason", [Normal(), Shutdown(), BOOM, "boom", 0, False, ("a", 1)])
def test_any_value_but_a_slip_is_a_reason(reason: ExitReason) -> None:
    """PROC-011: any term."""
    check_reason("reason", reason)


@pytest.mark.parametrize(
    ("slip", "says"),
    [
        (None, r"^why: got None, an exit reason is Normal\(\), Shutdown\(\) or your value$"),
        (ValueError("x"), r"^why: got the exception ValueError\('x'\), wrap it: Crashed\("),
        (KeyboardInterrupt(), r"wrap it"),
        (Normal, r"^why: got the class Normal, give a value: Normal\(\)$"),
        (Killed, r"give a value: Killed\(\)$"),
        (Crashed, r"give a value: Crashed\(\)$"),
    ],
)
def test_a_slip_is_refused_with_the_field_and_what_is_allowed(slip: object, says: str) -> None:
    with pytest.raises(TypeError, match=says):
        check_reason("why", slip)


def test_a_class_of_the_users_own_may_be_a_reason() -> None:
    check_reason("reason", ValueError)


@pytest.mark.parametrize(
    ("reason", "field"), [(Shutdown("x"), "detail"), (BOOM, "exception")], ids=["shutdown", "crash"]
)
def test_reasons_are_frozen(reason: ExitReason, field: str) -> None:
    with pytest.raises(AttributeError):
        setattr(reason, field, 1)
