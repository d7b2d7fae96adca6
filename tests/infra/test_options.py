"""Every option of `HitlApproval` by its declaration: a new one is tested without a new test."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from types import UnionType
from typing import Any, Union, get_args, get_origin

import pytest
from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs

from hitl_approval.contract import Env
from hitl_approval_cdk import HitlApproval, HitlApprovalStack, Quorum, resolve
from hitl_approval_cdk.context import KEYS
from hitl_approval_cdk.declaration import DECLARED, Declared
from tests.infra.synth import any_app, any_stack

VALUES: dict[str, Any] = {
    "nothing": None,
    "an object": object(),
    "a text": "x",
    "a number": 5,
    "a fraction": 0.5,
    "a switch": True,
    "a list of texts": ["x"],
    "a list of numbers": [5],
    "a list of lists": [["x"]],
    "an object of numbers": {"x": 5},
    "an object by numbers": {5: ["x"]},
    "a duration": Duration.days(400),
    "a removal policy": RemovalPolicy.SNAPSHOT,
    "an architecture": lambda_.Architecture.ARM_64,
    "days of logs": logs.RetentionDays.ONE_YEAR,
    "a quorum": Quorum.any_one(),
}
"""One of each type. Of types that several options take, a value that none of them takes, but where
`right` says so."""


def right(declared: Declared, value: Any) -> bool:
    """Whether a value has the type that an option was declared with."""
    if value is None:
        return declared.takes_none
    union = get_origin(declared.type) in {Union, UnionType}
    kinds = get_args(declared.type) if union else (declared.type,)
    return type(value) in kinds or (value == ["x"] and Sequence[str] in kinds)


WRONG = [
    pytest.param(name, value, id=f"{name}: {what}")
    for name, declared in DECLARED.items()
    for what, value in VALUES.items()
    if not right(declared, value)
]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_should_refuse_a_wrong_type_in_words_of_ours(name: str, value: Any) -> None:
    given: Any = {name: value}
    with pytest.raises(ValueError, match=rf"^{name}\b.*(: |, got )") as refusal:
        HitlApproval(any_stack(), "Approval", **given)
    assert refusal.type is ValueError
    assert "jsii" not in str(refusal.value)


def test_should_try_many_wrong_types_of_every_option() -> None:
    tried = [parameter.values[0] for parameter in WRONG]
    assert set(tried) == set(DECLARED)
    assert min(map(tried.count, DECLARED)) >= len(VALUES) - 4


def test_should_refuse_an_option_that_does_not_exist() -> None:
    given: Any = {"require_verified_identiy": True}
    with pytest.raises(TypeError, match="no option of HitlApproval: did you mean require_verified"):
        HitlApproval(any_stack(), "Approval", **given)
    with pytest.raises(TypeError, match=r"colour is no option .*: help\(HitlApproval\) lists all"):
        HitlApprovalStack(any_app(), "Stack", colour="red")  # type: ignore[call-arg]


@pytest.mark.parametrize("name", DECLARED)
def test_should_take_none_for_the_default_where_its_type_allows_it(name: str) -> None:
    default = resolve({})
    given: Any = {name: None}
    if DECLARED[name].takes_none:
        assert plain(resolve(given)) == plain(default)
    else:
        with pytest.raises(ValueError, match=f"^{name} must be"):
            resolve(given)


@pytest.mark.parametrize("name", DECLARED)
def test_should_say_what_each_does_and_its_default(name: str) -> None:
    declared = DECLARED[name]
    assert declared.meaning[0].isupper()
    assert declared.meaning.endswith(".")
    assert declared.default_text
    if isinstance(declared.option.default, bool | int | str):
        assert str(declared.option.default) in declared.default_text


@pytest.mark.parametrize("construct", [HitlApproval, HitlApprovalStack])
def test_should_list_each_in_signature_and_help(construct: type) -> None:
    written = " ".join((inspect.getdoc(construct) or "").split())
    for taken in (inspect.signature(construct), inspect.signature(vars(construct)["__init__"])):
        for name, declared in DECLARED.items():
            parameter = taken.parameters[name]
            assert parameter.kind is parameter.KEYWORD_ONLY
            assert parameter.default is not parameter.empty
            assert parameter.annotation == declared.type
            assert f"{name}: {declared.text}" in written
        assert "options" not in taken.parameters


def test_should_read_each_variable_where_it_is_set() -> None:
    names = [d.option.variable.name for d in DECLARED.values() if d.option.variable]
    assert len(set(names)) == len(names)
    assert set(names) <= {value for key, value in vars(Env).items() if key.isupper()}


def test_should_name_each_context_key_once() -> None:
    names = [key.name for declared in DECLARED.values() for key in declared.option.keys]
    assert len(set(names)) == len(names) == len(KEYS)


def plain(options: Any) -> dict[str, Any]:
    """Two of jsii's objects are never equal: compare what they say."""
    return {
        name: value.to_seconds() if isinstance(value, Duration) else value
        for name, value in options.items()
    }
