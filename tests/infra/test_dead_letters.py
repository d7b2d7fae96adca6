"""The dead-letter queue keeps what failed."""

from __future__ import annotations

from hitl_approval import contract
from tests.infra.synth import Resources, functions, of_type, text


def test_should_keep_failed_starts_in_a_queue_of_the_workflows_own(default: Resources) -> None:
    found = functions(default)
    target = text(found[contract.Handler.WORKFLOW]["DeadLetterConfig"]["TargetArn"])
    assert target == "<ApprovalDeadLetterQueue.Arn>"
    assert "DeadLetterConfig" not in found[contract.Handler.APPROVAL_API]
    [queue] = of_type(default, "AWS::SQS::Queue").values()
    assert queue["MessageRetentionPeriod"] == 14 * 86400
    assert queue["SqsManagedSseEnabled"] is True
