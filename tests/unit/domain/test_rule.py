"""A deployment's rules, and what they say of a request."""

from __future__ import annotations

from typing import Any

import pytest

from hitl_approval.domain.applied_rule import AppliedRule
from hitl_approval.domain.condition import Unread, field
from hitl_approval.domain.errors import InvalidRequest
from hitl_approval.domain.quorum import Quorum
from hitl_approval.domain.rule import (
    MAX_RULES,
    MAX_UNREAD,
    Rule,
    RuleReading,
    Rules,
    approve,
    facts_of,
    reject,
)
from hitl_approval.domain.stage import Stage
from tests.anything import any_request

SMALL = Rule("small", when=field("amount") < 100, then=approve())
BIG = Rule("big", when=field("amount") >= 10_000, approvers=["cfo"], quorum=Quorum.any_one())
RULES = Rules((SMALL, BIG))


def asked(**context: Any) -> Any:
    return any_request(context=context)


def test_should_follow_the_first_rule_that_matches() -> None:
    ruling = Rules((BIG, Rule("any", approvers=["ann"]))).rule_on(asked(amount=10_000))
    assert (ruling.rule, ruling.end) == (BIG, None)
    assert ruling.readings == (RuleReading("big", "matched"), RuleReading("any", "not reached"))
    assert ruling.applied == AppliedRule(ruling.digest, "big")


def test_should_approve_what_a_rule_surely_matches() -> None:
    ruling = RULES.rule_on(asked(amount=99.99))
    assert ruling.end == "approved"
    assert ruling.applied == AppliedRule(RULES.digest, "small", "approved")
    assert ruling.details == {
        "rule": {"digest": RULES.digest, "id": "small", "end": "approved"},
    }


def test_should_leave_to_the_deployment_what_no_rule_matches() -> None:
    ruling = RULES.rule_on(asked(amount=100))
    assert (ruling.rule, ruling.end) == (None, None)
    assert ruling.details == {"rule": {"digest": RULES.digest}}


@pytest.mark.parametrize(
    ("context", "why"),
    [
        ({}, "is not there"),
        ({"amount": "5"}, "is a string, not a number"),
        ({"amount": True}, "is a boolean, not a number"),
        ({"amount": None}, "is null"),
    ],
)
def test_should_match_nothing_that_it_could_not_read_and_say_so_without_the_value(
    context: dict[str, Any], why: str
) -> None:
    ruling = RULES.rule_on(asked(**context))
    assert (ruling.rule, ruling.end) == (None, None)
    unread = (Unread("amount", why),)
    assert ruling.readings == (
        RuleReading("small", "unreadable", unread),
        RuleReading("big", "unreadable", unread),
    )
    assert ruling.details["rule"]["unread"] == [
        {"rule": "small", "field": "amount", "why": why},
        {"rule": "big", "field": "amount", "why": why},
    ]


def test_should_not_approve_after_a_rule_that_could_not_be_read() -> None:
    """It may have been the one that asks somebody: garbage in a field is no way around it."""
    office = Rule("office", when=field("kind") == "office", then=approve())
    ruling = Rules((BIG, office)).rule_on(asked(kind="office", amount="1000000"))
    assert (ruling.rule, ruling.end) == (office, None)
    assert ruling.held_back == "rule big could not read amount"
    assert ruling.details["rule"]["held_back"] == ruling.held_back
    assert ruling.applied == AppliedRule(ruling.digest, "office")


def test_should_not_approve_by_a_rule_of_which_one_field_was_not_read() -> None:
    either = Rule("either", when=(field("amount") < 100) | (field("free") == 1), then=approve())
    ruling = Rules((either,)).rule_on(asked(amount=5))
    assert (ruling.rule, ruling.end) == (either, None)
    assert ruling.held_back == "rule either could not read free"


def test_should_ask_people_by_a_rule_that_is_true_whatever_was_not_read() -> None:
    either = Rule("either", when=(field("amount") > 100) | (field("vip") == 1), approvers=["cfo"])
    ruling = Rules((either,)).rule_on(asked(amount=500))
    assert ruling.rule == either
    assert ruling.details["rule"]["unread"] == [
        {"rule": "either", "field": "vip", "why": "is not there"}
    ]


def test_should_approve_after_a_rule_that_is_false_whatever_was_not_read() -> None:
    travel = Rule(
        "travel", when=(field("kind") == "travel") & (field("days") > 3), approvers=["cfo"]
    )
    ruling = Rules((travel, SMALL)).rule_on(asked(kind="office", amount=5))
    assert ruling.end == "approved"
    assert ruling.readings[0] == RuleReading("travel", "no match")


@pytest.mark.parametrize(
    "named",
    [
        {"approvers": ["ann"]},
        {"quorum": Quorum.at_least(2)},
        {"stages": [Stage(["ann"])]},
        {"form": {"type": "object", "properties": {"reason": {"type": "string"}}}},
    ],
)
def test_should_not_approve_what_a_request_itself_wants_people_to_decide(
    named: dict[str, Any],
) -> None:
    ruling = RULES.rule_on(any_request(context={"amount": 5}, **named))
    assert (ruling.rule, ruling.end) == (SMALL, None)
    assert ruling.held_back == "the request names who decides, how many, or what they fill in"


def test_should_reject_whatever_a_request_names() -> None:
    never = Rules((Rule("never", when=field("env") == "prod", then=reject()),))
    request = any_request(context={"env": "prod"}, approvers=["ann"])
    assert never.rule_on(request).end == "rejected"


def test_should_read_the_requests_own_texts_over_those_of_its_context() -> None:
    request = any_request(
        requester="mallory", context={"requester": "ceo", "subject": "x", "document_id": "y"}
    )
    facts = facts_of(request)
    assert facts == {"requester": "mallory", "subject": "Q4 Budget Proposal"}
    assert facts_of(any_request(document_id="d-1"))["document_id"] == "d-1"


def test_should_read_a_context_as_it_is_stored() -> None:
    assert facts_of(asked(pair=(1, 2)))["pair"] == [1, 2]


@pytest.mark.parametrize(
    ("malformed", "message"),
    [
        (lambda: Rule(""), r"^rule must have an id of letters, digits and ._-, got ''"),
        (lambda: Rule("a b", approvers=["x"]), r"^rule must have an id"),
        (lambda: Rule("x" * 65, approvers=["x"]), r"^rule must have an id"),
        (lambda: Rule("a"), r"^rule a: says nothing: give it approvers, a quorum, or then"),
        (lambda: Rule("a", then=approve()), r"^rule a: approves everything: say when"),
        (
            lambda: Rule("a", when=field("b") == 1, then=approve(), approvers=["x"]),
            r"^rule a: either ends a request",
        ),
        (lambda: Rule("a", then=reject(), quorum=Quorum.any_one()), r"^rule a: either ends"),
        (lambda: Rule("a", when=True, approvers=["x"]), r"^rule a: when must be like field"),  # type: ignore[arg-type]
        (lambda: Rule("a", when=field("b"), approvers=["x"]), r"^rule a: when must be like"),  # type: ignore[arg-type]
        (lambda: Rule("a", then="approve"), r"^rule a: then must be approve"),  # type: ignore[arg-type]
        (lambda: Rule("a", then=approve), r"^rule a: then must be approve"),  # type: ignore[arg-type]
        (
            lambda: Rule("a", approvers=["ann"], quorum=Quorum.of({"finance": 1})),
            r"^rule a: has a quorum of groups, which name who is asked",
        ),
        (lambda: Rule("a", quorum=2), r"^rule a: quorum must be Quorum"),  # type: ignore[arg-type]
        (lambda: Rule("a", approvers="ann"), r"^rule a: approvers: must be a list of names"),
        (lambda: Rules((BIG, BIG)), r"^rules have the id big twice"),
        (lambda: Rules((BIG, "x")), r"^rules must be Rule"),  # type: ignore[arg-type]
        (lambda: Rules((BIG,) * (MAX_RULES + 1)), r"^rules must be at most 50, got 51"),
    ],
)
def test_should_refuse_a_rule_that_cannot_be_meant(malformed: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        malformed()


def test_should_survive_being_written_and_read() -> None:
    rules = Rules(
        (
            SMALL,
            BIG,
            Rule("two", when=~(field("a") == 1), quorum=Quorum.at_least(2)),
            Rule("all", when=field("a") == 2, approvers=["ann", "ops"], quorum=Quorum.everyone()),
            Rule("groups", when=field("a") == 3, quorum=Quorum.of({"finance": 1, "it": 2})),
            Rule("none", then=reject()),
        )
    )
    assert Rules.from_json(rules.to_json()) == rules
    assert Rules.from_json(rules.to_json()).digest == rules.digest
    assert rules.to_json()[1] == {
        "id": "big",
        "when": {"field": "amount", ">=": 10_000},
        "approvers": ["cfo"],
        "quorum": "any_one",
    }
    assert rules.fields == {"amount", "a"}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"rules": []}, r"^rules must be a list of objects, got an object"),
        ([7], r"^rules\[0\] must be an object, got a number"),
        ([{"id": "a", "wen": {}}], r"^rules\[0\] has 'wen', which no rule knows: use id, when"),
        ([{"id": "a", "then": "approved"}], r"^rules\[0\]\.then must be approve or reject"),
        ([{"id": "a", "then": ["approve"]}], r"^rules\[0\]\.then must be approve or reject"),
        ([{"id": 7, "approvers": ["x"]}], r"^rule must have an id"),
        ([{"id": "a", "quorum": 0}], r"^rules\[0\]\.quorum must be any_one, everyone or a number"),
        ([{"id": "a", "quorum": {"it": 0}}], r"^rules\[0\]\.quorum: quorum needs at least 1"),
        ([{"id": "a", "quorum": True}], r"^rules\[0\]\.quorum must be"),
        ([{"id": "a", "quorum": [2]}], r"^rules\[0\]\.quorum must be"),
        ([{"id": "a", "when": None, "approvers": ["x"]}], r"^rules\[0\]\.when must be an object"),
    ],
)
def test_should_say_where_json_is_malformed(values: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Rules.from_json(values)


def test_should_bound_what_the_audit_says_was_not_read() -> None:
    many = Rules(
        tuple(Rule(f"r{n}", when=field(f"f{n}") == 1, approvers=["x"]) for n in range(MAX_RULES))
    )
    said = many.rule_on(asked()).details["rule"]
    assert (len(said["unread"]), said["more_unread"]) == (MAX_UNREAD, MAX_RULES - MAX_UNREAD)


@pytest.mark.parametrize("editable", ["amount", "customer.country", "customer"])
def test_should_refuse_that_an_approver_changes_what_says_who_decides(editable: str) -> None:
    """Else who may decide on 9,000 changes it to 90,000, which is another's to decide."""
    rules = Rules((BIG, Rule("abroad", when=field("customer.country") == "DE", approvers=["x"])))
    context = {"amount": 9_000, "customer": {"country": "AT"}, "note": "a"}
    if editable == "customer":
        context["customer"] = "C-1"
    with pytest.raises(InvalidRequest, match=r"^editable: names .*, and a rule reads"):
        rules.rule_on(any_request(context=context, editable=[editable]))
    assert rules.rule_on(any_request(context=context, editable=["note"])).rule is None
