"""The publisher reads the audit table's stream and publishes to the bus."""

from __future__ import annotations

from aws_cdk import aws_events as events

from hitl_approval_cdk import HitlApproval
from tests.infra.synth import any_stack, granted, of_type, template, text


def test_should_publish_to_the_bus_that_it_is_given() -> None:
    stack = any_stack()
    bus = events.EventBus(stack, "Bus")
    approvals = HitlApproval(stack, "Approval", event_bus=bus)
    approvals.on_event("All")
    assert ("events:PutEvents", "<Bus.Arn>") in granted(stack, "ApprovalPublisherRole")
    [rule] = [
        rule
        for rule in of_type(template(stack)["Resources"], "AWS::Events::Rule").values()
        if "EventPattern" in rule
    ]
    assert text(rule["EventBusName"]) == "<Bus>"
