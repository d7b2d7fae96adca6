"""The steps of an escalation in a test's deployment: each at its time, none before."""

from __future__ import annotations

from datetime import timedelta

from hitl_approval.domain.policy import Policy
from hitl_approval.domain.stage import Escalate
from hitl_approval.testing import InMemoryStore
from hitl_approval.testing.turns import escalate_due, next_escalation
from tests.anything import NOW, any_opening, any_request

HOUR = timedelta(hours=1)


def test_should_take_each_step_when_it_is_due() -> None:
    store = InMemoryStore()
    assert next_escalation(store) is None
    policy = Policy(escalation=(Escalate(HOUR / 4, ["leo"]), Escalate(HOUR / 2, ["mia"])))
    request = any_request(approvers=["ann"])
    approval_id = store.create(any_opening(request=request, policy=policy)).approval_id
    assert next_escalation(store) == NOW + HOUR / 4
    escalate_due(store, NOW + HOUR / 5)
    assert store.approvals[approval_id].asked == ("ann",)
    escalate_due(store, NOW + HOUR / 4)
    assert store.approvals[approval_id].asked == ("ann", "leo")
    assert next_escalation(store) == NOW + HOUR / 2
