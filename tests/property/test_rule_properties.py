"""Properties that hold for every condition, every set of rules and every request."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hitl_approval.domain.condition import (
    Comparison,
    Condition,
    paths_of,
)
from hitl_approval.domain.condition_json import condition_of
from hitl_approval.domain.quorum import Quorum
from hitl_approval.domain.rule import Rule, Rules, Ruling, Then, approve, facts_of
from tests.anything import any_request

NAMES = st.sampled_from(["a", "b", "a.b", "requester", "missing"])
NUMBERS = st.one_of(
    st.integers(-3, 3),
    st.sampled_from([0.1, 0.5, 2**53 - 1, -1e300]),
    st.floats(allow_nan=False, allow_infinity=False),
)
TEXTS = st.sampled_from(["", "x", "rita", "*", "[", "1"])
PLAIN = st.one_of(NUMBERS, TEXTS, st.booleans())
CONTEXTS = st.dictionaries(
    st.sampled_from(["a", "b", "requester", "other"]),
    st.recursive(
        st.one_of(PLAIN, st.none()),
        lambda inner: st.one_of(
            st.dictionaries(st.sampled_from(["b", "c"]), inner, max_size=2),
            st.lists(inner, max_size=2),
        ),
        max_leaves=4,
    ),
    max_size=4,
)
COMPARISONS: st.SearchStrategy[Condition] = st.one_of(
    st.builds(Comparison, NAMES, st.sampled_from(["==", "!="]), PLAIN),
    st.builds(Comparison, NAMES, st.sampled_from(["<", "<=", ">", ">="]), NUMBERS),
    st.builds(Comparison, NAMES, st.just("in"), st.lists(NUMBERS, min_size=1, max_size=3)),
    st.builds(Comparison, NAMES, st.just("in"), st.lists(TEXTS, min_size=1, max_size=3)),
    st.builds(Comparison, NAMES, st.just("matches"), TEXTS),
)
CONDITIONS: st.SearchStrategy[Condition] = st.recursive(
    COMPARISONS,
    lambda inner: st.one_of(
        st.builds(lambda one, other: one & other, inner, inner),
        st.builds(lambda one, other: one | other, inner, inner),
        st.builds(lambda one: ~one, inner),
    ),
    max_leaves=5,
)
ACTIONS: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.builds(lambda end: {"then": Then(end)}, st.sampled_from(["approved", "rejected"])),
    st.just({"approvers": ["ann"]}),
    st.just({"quorum": Quorum.at_least(2)}),
)


def _rules(parts: list[tuple[Condition, dict[str, Any]]]) -> Rules:
    return Rules(
        tuple(Rule(f"r{n}", when=when, **action) for n, (when, action) in enumerate(parts))
    )


RULES = st.lists(st.tuples(CONDITIONS, ACTIONS), max_size=4).map(_rules)


def is_readable(path: str, facts: Any) -> bool:
    """Whether there is something at a path, written again and apart from the code."""
    for name in path.split("."):
        if not isinstance(facts, dict) or name not in facts:
            return False
        facts = facts[name]
    return isinstance(facts, str | int | float)


def completed(condition: Condition, facts: dict[str, Any]) -> set[bool]:
    """What a condition can be if each comparison that is neither is made either."""
    if isinstance(condition, Comparison):
        holds = condition.read(facts).holds
        return {True, False} if holds is None else {holds}
    values = condition.to_json()
    [(how, inner)] = values.items()
    pieces = [condition_of(each) for each in ([inner] if how == "not" else inner)]
    found = [completed(each, facts) for each in pieces]
    if how == "not":
        return {not each for each in found[0]}
    join = all if how == "all" else any
    outcomes: set[bool] = set()

    def choose(chosen: list[bool], left: list[set[bool]]) -> None:
        if not left:
            outcomes.add(join(chosen))
            return
        for value in left[0]:
            choose([*chosen, value], left[1:])

    choose([], found)
    return outcomes


@given(CONDITIONS, CONTEXTS)
def test_should_always_say_something_and_be_sure_only_of_what_is(
    condition: Condition, context: dict[str, Any]
) -> None:
    facts = dict(facts_of(any_request(context=context)))
    reading = condition.read(facts)
    possible = completed(condition, facts)
    if reading.holds is not None:
        assert possible == {reading.holds}, "it is so whatever could not be read"
    unreadable = {path for path in paths_of(condition) if not is_readable(path, facts)}
    assert unreadable <= {each.field for each in reading.unread} <= paths_of(condition)


@given(CONDITIONS, CONTEXTS)
def test_should_not_know_the_contrary_of_what_it_does_not_know(
    condition: Condition, context: dict[str, Any]
) -> None:
    facts = facts_of(any_request(context=context))
    one, other = condition.read(facts).holds, (~condition).read(facts).holds
    assert other is (None if one is None else not one)


@given(CONDITIONS, CONTEXTS)
def test_should_say_the_same_once_it_is_written_and_read(
    condition: Condition, context: dict[str, Any]
) -> None:
    again = condition_of(json.loads(json.dumps(condition.to_json())))
    facts = facts_of(any_request(context=context))
    assert again.read(facts) == condition.read(facts)


@given(RULES, CONTEXTS)
def test_should_approve_only_what_was_read_and_surely_matches(
    rules: Rules, context: dict[str, Any]
) -> None:
    request = any_request(context=context)
    facts = dict(facts_of(request))
    ruling: Ruling = rules.rule_on(request)
    assert len(ruling.readings) == len(rules.rules)
    for rule, reading in zip(rules.rules, ruling.readings, strict=True):
        if reading.state == "not reached":
            break
        assert rule.when is not None
        possible = completed(rule.when, facts)
        if reading.state == "matched":
            assert possible == {True}
        elif reading.state == "no match":
            assert possible == {False}
        if ruling.end == "approved":
            assert reading.state != "unreadable", "an earlier rule may have asked somebody"
    if ruling.end == "approved":
        assert ruling.rule is not None
        assert ruling.rule.then == approve()
        assert ruling.rule.when is not None
        for path in paths_of(ruling.rule.when):
            assert is_readable(path, facts), "every field of the rule was read"


@given(RULES, CONTEXTS, st.sampled_from([{"approvers": ["zoe"]}, {"quorum": Quorum.at_least(2)}]))
def test_should_never_approve_what_people_are_wanted_to_decide(
    rules: Rules, context: dict[str, Any], wanted: dict[str, Any]
) -> None:
    assert rules.rule_on(any_request(context=context, **wanted)).end != "approved"


@given(RULES, CONTEXTS)
def test_should_put_no_value_on_record(rules: Rules, context: dict[str, Any]) -> None:
    secret = json.loads(json.dumps(context).replace('"x"', '"hunter2"'))
    assert "hunter2" not in str(rules.rule_on(any_request(context=secret)).details)


@given(RULES)
def test_should_have_one_digest_for_the_same_rules(rules: Rules) -> None:
    assert Rules.from_json(json.loads(json.dumps(rules.to_json()))).digest == rules.digest
