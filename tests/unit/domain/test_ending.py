"""How a request ends by itself."""

from __future__ import annotations

import pytest

from hitl_approval.domain.applied_rule import AppliedRule
from hitl_approval.domain.ending import cancel, expire, follow_rule
from hitl_approval.domain.policy import OnTimeout, Policy
from tests.anything import NOW, any_approval, declared


@pytest.mark.parametrize(
    ("on_timeout", "status"), [(OnTimeout.timeout(), "timeout"), (OnTimeout.reject(), "rejected")]
)
def test_should_mean_by_silence_what_the_policy_says(on_timeout: OnTimeout, status: str) -> None:
    approval = any_approval(policy=Policy(on_timeout=on_timeout))
    ended = expire(approval, now=approval.expires_at)
    assert ended is not None
    assert (ended.after.status, ended.after.decided_by) == (status, "hitl-approval")
    assert ended.event.details == {"reason": "nobody decided in time"}


def test_should_end_as_the_rule_says_that_it_was_asked_under() -> None:
    rule = AppliedRule("d", "small", "approved")
    ended = follow_rule(any_approval(rule=rule), now=NOW)
    assert ended is not None
    assert (ended.after.status, ended.after.decided_by) == ("approved", "rule:small")
    assert (ended.event.event, ended.event.actor) == ("approved", rule.actor)
    assert ended.event.details == {"rule": {"digest": "d", "id": "small", "end": "approved"}}
    assert follow_rule(ended.after, now=NOW) is None, "once"


@pytest.mark.parametrize("rule", [None, AppliedRule("d"), AppliedRule("d", "big")])
def test_should_let_no_rule_end_what_people_are_asked(rule: AppliedRule | None) -> None:
    assert follow_rule(any_approval(rule=rule), now=NOW) is None


def test_should_let_no_rule_end_what_has_ended_or_expired() -> None:
    approval = any_approval(rule=AppliedRule("d", "small", "approved"))
    assert follow_rule(approval, now=approval.expires_at) is None
    withdrawn = cancel(approval, declared(approval.requester), "", now=NOW)
    assert withdrawn is not None
    assert follow_rule(withdrawn.after, now=NOW) is None
