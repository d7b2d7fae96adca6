"""The declaration of the options, as signature and help show it."""

from __future__ import annotations

import inspect
import re

import pytest

from hitl_approval_cdk import (
    HitlApproval,
    HitlApprovalStack,
)
from hitl_approval_cdk.declaration import DECLARED


class TestKeywords:
    def test_should_describe_each_with_its_default(self) -> None:
        written = inspect.getdoc(HitlApproval) or ""
        arguments = written.split("Args:")[1].split("Attributes:")[0]
        for name in _keywords():
            [description] = re.findall(
                rf"^ {{4}}{name}: (.*?)(?=^ {{4}}\w|\Z)", arguments, re.M | re.S
            )
            assert "Default: " in " ".join(description.split()), name

    def test_should_all_have_a_default(self) -> None:
        for name, parameter in _keywords().items():
            assert parameter.default is not parameter.empty, name
            assert parameter.kind is parameter.KEYWORD_ONLY, name


def _keywords() -> dict[str, inspect.Parameter]:
    signature = inspect.signature(HitlApproval.__init__)
    return {
        name: parameter
        for name, parameter in signature.parameters.items()
        if name not in {"self", "scope", "construct_id"}
    }


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
