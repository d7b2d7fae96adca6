"""What synth warns of; that nobody is subscribed is tested with the topic."""

from __future__ import annotations

from hitl_approval_cdk import HitlApproval, Quorum
from tests.infra.synth import any_stack, warnings_of


def test_should_warn_when_every_request_has_to_name_its_approvers() -> None:
    stack = any_stack()
    HitlApproval(stack, "Approval", quorum=Quorum.everyone(), notify_emails=["ann@example.com"])
    assert "every request must name its own" in warnings_of(stack)
