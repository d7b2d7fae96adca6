"""Who may decide a request, and who may withdraw it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hitl_approval.domain.applied_rule import AppliedRule, End
from hitl_approval.domain.audit import SYSTEM, Actor
from hitl_approval.domain.errors import Forbidden
from hitl_approval.domain.permission import check_may_decide, check_may_withdraw
from hitl_approval.domain.policy import Policy
from tests.anything import any_approval, any_request, declared

ASKED = any_approval(request=any_request(requester="rita", approvers=["ann@weiss.com", "bob"]))


@pytest.mark.parametrize("name", ["bob", "BOB", "Ann@Weiss.com"])
def test_should_let_an_approver_decide_whatever_the_case(name: str) -> None:
    check_may_decide(ASKED, declared(name))


@pytest.mark.parametrize("name", ["eve", "b\u200bob", "ann@weiß.com", "rita", "ri\u200bta"])
def test_should_let_nobody_else_decide(name: str) -> None:
    with pytest.raises(Forbidden):
        check_may_decide(ASKED, declared(name))


@pytest.mark.parametrize("ends", ["approved", "rejected"])
def test_should_let_nobody_decide_what_a_rule_ends(ends: End) -> None:
    ruled = replace(ASKED, rule=AppliedRule("any", "small", ends))
    with pytest.raises(Forbidden, match="rule small of the deployment decides this"):
        check_may_decide(ruled, declared("bob"))


def test_should_let_those_decide_whom_a_rule_asks() -> None:
    check_may_decide(replace(ASKED, rule=AppliedRule("any", "big")), declared("bob"))


def test_should_let_who_asked_the_workflow_and_operators_withdraw() -> None:
    check_may_withdraw(ASKED, declared("Rita"))
    check_may_withdraw(ASKED, SYSTEM)
    check_may_withdraw(ASKED, Actor("olga", "jwt"), ["Olga"])
    for name in ("olga", "bob", "ri\u200bta", "hitl\u200b-approval"):
        with pytest.raises(Forbidden, match="rita or an operator can"):
            check_may_withdraw(ASKED, declared(name))


def test_should_demand_of_operators_what_is_demanded_of_who_decides() -> None:
    verified = any_approval(policy=Policy(require_verified_identity=True))
    with pytest.raises(Forbidden, match="sign in"):
        check_may_withdraw(verified, declared("olga"), ["olga"])
    check_may_withdraw(verified, Actor("olga", "iam"), ["olga"])
