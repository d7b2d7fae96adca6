"""Two names of one IAM role keep each other out."""

from __future__ import annotations

import pytest

from hitl_approval.domain.person import may_be_one
from hitl_approval.domain.policy import Policy

ROLE = "arn:aws:sts::1:assumed-role/Approver"


@pytest.mark.parametrize(
    ("name", "other", "one"),
    [
        ("ann", "ANN\u200b", True),
        ("ann", "bob", False),
        (ROLE, f"{ROLE}/x", True),
        (f"{ROLE}/x", ROLE.upper(), True),
        (f"{ROLE}/x", f"{ROLE}/y", False),
        (f"{ROLE}/x", f"{ROLE}/X", True),
        ("arn:aws:iam::1:role/Approver", f"{ROLE}/x", True),
        ("arn:aws:iam::1:role/a/b/Approver", ROLE, True),
        ("arn:aws:iam::2:role/Approver", ROLE, False),
        ("arn:aws:iam::1:role/Lead", ROLE, False),
        ("arn:aws:iam::1:user/Approver", ROLE, False),
        ("arn:aws:iam::1:user/ann", "arn:aws:iam::1:user/bob", False),
    ],
)
def test_should_know_a_role_by_each_of_its_names(name: str, other: str, *, one: bool) -> None:
    assert may_be_one(name, other) is one
    assert may_be_one(other, name) is one


def test_should_leave_out_of_those_who_decide_the_role_that_asked() -> None:
    assert Policy().deciders([ROLE, "ann"], f"{ROLE}/x") == ("ann",)
