"""A gated call: what is shown of it, what is compared, what is run."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hitl_approval.domain.call import ArgumentsChanged, Call
from hitl_approval.domain.errors import InvalidRequest


def transfer(amount: int, to: str = "ann", *rest: str, urgent: bool = False, **more: Any) -> Any:
    return amount, to, rest, urgent, more


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [
        ((1,), {}),
        ((1, "bob", "x", "y"), {"urgent": True, "memo": {"deep": [1, None, 2.5]}}),
        ((), {"amount": 1, "to": "line\nbreak \u202e"}),
    ],
)
def test_should_run_with_what_python_would_have_passed(
    args: tuple[Any, ...], kwargs: dict[str, Any]
) -> None:
    assert Call.of(transfer, args, kwargs).run(transfer) == transfer(*args, **kwargs)


def test_should_show_every_argument_and_its_default() -> None:
    call = Call.of(transfer, (5,), {})
    assert call.context["arguments"] == {
        "amount": 5,
        "to": "ann",
        "rest": [],
        "urgent": False,
        "more": {},
    }
    assert call.subject.startswith('Run transfer(amount=5, to="ann", rest=[], urgent=false')


def test_should_shorten_a_long_call_in_the_subject_only() -> None:
    call = Call.of(transfer, (1, "x" * 5_000), {})
    assert len(call.subject) == 200
    assert call.context["arguments"]["to"] == "x" * 5_000


@pytest.mark.parametrize("value", [(1, 2), {1: "a"}, {"a": {2}}, object(), float("nan"), b"x"])
def test_should_refuse_what_an_approver_could_not_read_whole(value: Any) -> None:
    with pytest.raises(InvalidRequest, match="arguments: must be JSON values"):
        Call.of(transfer, (value,), {})


def test_should_refuse_what_no_step_could_read_back() -> None:
    """44,000 letters of two bytes each are 88 KB on record, and six bytes each for the SDK."""
    assert Call.of(transfer, (1, "e" * 130_000), {}).tool == "transfer"
    with pytest.raises(InvalidRequest, match="at most 262144 bytes as a durable step encodes"):
        Call.of(transfer, (1, "\u00e9" * 44_000), {})


def test_should_refuse_arguments_that_do_not_fit() -> None:
    with pytest.raises(TypeError, match="amount"):
        Call.of(transfer, (), {})


def test_should_not_follow_an_argument_that_is_changed_later() -> None:
    memo = {"text": "refund"}
    call = Call.of(transfer, (1,), {"memo": memo})
    memo["text"] = "all of it"
    assert call.run(transfer)[-1] == {"memo": {"text": "refund"}}


@pytest.mark.parametrize(
    "other",
    [Call.of(transfer, (2,), {}), replace(Call.of(transfer, (1,), {}), tool="transmit")],
)
def test_should_tell_another_call_from_the_approved_one(other: Call) -> None:
    call = Call.of(transfer, (1,), {})
    call.check(call.context)
    with pytest.raises(ArgumentsChanged, match="was not run"):
        call.check(other.context)
    assert call.digest != other.digest


def test_should_notice_arguments_edited_on_record_below_their_digest() -> None:
    call = Call.of(transfer, (1,), {})
    with pytest.raises(ArgumentsChanged):
        call.check({**call.context, "arguments": {"amount": 2}})


def edited(call: Call, **values: Any) -> dict[str, Any]:
    """The context of a call as an approver has changed it."""
    return {**call.context, "arguments": {**call.context["arguments"], **values}}


def test_should_run_the_call_to_which_an_approver_has_changed_it() -> None:
    call = Call.of(
        transfer, (5, "bob"), {"memo": {"deep": 1}}, editable=["amount", "more.memo.deep"]
    )
    assert call.approved(call.context) == call
    changed = edited(call, amount=7, more={"memo": {"deep": 2}})
    assert call.approved(changed).run(transfer) == transfer(7, "bob", memo={"deep": 2})
    assert "arguments_digest" not in call.context


@pytest.mark.parametrize(
    "approved",
    [
        lambda call: edited(call, to="eve"),
        lambda call: edited(call, amount=7, to="eve"),
        lambda call: edited(call, amount=7.5),
        lambda call: edited(call, amount="7"),
        lambda call: edited(call, amount=True),
        lambda call: {**call.context, "tool": "delete"},
        lambda call: {**call.context, "arguments": {}},
        lambda call: {**call.context, "arguments": [7]},
        lambda call: {"arguments": {"amount": 7}},
        lambda call: edited(call, extra=1),
    ],
)
def test_should_run_no_other_call_than_the_one_that_may_be_changed(approved: Any) -> None:
    call = Call.of(transfer, (5, "bob"), {}, editable=["amount"])
    with pytest.raises(ArgumentsChanged, match="transfer was not run"):
        call.approved(approved(call))


def test_should_say_in_the_subject_nothing_that_may_be_changed() -> None:
    call = Call.of(transfer, (5, "bob"), {}, editable=["amount"])
    assert call.subject.startswith('Run transfer(amount="(shown on the page)", to="bob"')
