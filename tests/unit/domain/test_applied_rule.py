"""What a record keeps of the rules that it was asked under."""

from __future__ import annotations

from typing import Any

import pytest

from hitl_approval.domain.applied_rule import AppliedRule
from hitl_approval.domain.audit import Actor
from hitl_approval.domain.errors import InvalidRequest
from hitl_approval.domain.text import name


@pytest.mark.parametrize(
    "applied", [AppliedRule("d"), AppliedRule("d", "big"), AppliedRule("d", "small", "approved")]
)
def test_should_survive_being_written_and_read(applied: AppliedRule) -> None:
    assert AppliedRule.from_dict(applied.to_dict()) == applied


@pytest.mark.parametrize(
    "garbled",
    [
        None,
        "small",
        {},
        {"digest": 7},
        {"digest": "d", "id": 7},
        {"digest": "d", "id": "a", "end": "yes"},
        {"digest": "d", "end": "approved"},
    ],
)
def test_should_refuse_what_no_version_writes(garbled: Any) -> None:
    with pytest.raises(ValueError, match=r"^rule is none that this version writes"):
        AppliedRule.from_dict(garbled)


def test_should_act_under_a_name_that_no_person_can_have() -> None:
    actor = AppliedRule("d", "small", "approved").actor
    assert actor == Actor("rule:small", "rule")
    for spelled in (actor.name, "RULE: small", "rule\uff1asmall"):
        with pytest.raises(InvalidRequest, match="must not begin with rule:"):
            name(spelled, "approver")
