"""What `HitlApproval` gives its functions, for every test that runs one without deploying it.

`tests/infra/test_resources.py` holds the names against the synthesized template.
"""

from __future__ import annotations

from collections.abc import Mapping

ENVIRONMENT: Mapping[str, str] = {
    "APPROVALS_TABLE_NAME": "test-ApprovalRequests",
    "AUDIT_TABLE_NAME": "test-AuditEvents",
    "SNS_TOPIC_ARN": "arn:aws:sns:us-east-1:123456789012:test-approvals",
    "APPROVAL_TIMEOUT_SECONDS": "3600",
    "MAX_APPROVAL_TIMEOUT_SECONDS": "31536000",
    "APPROVAL_POLICY": (
        '{"quorum": "any_one", "quorum_count": 1, "rejections_needed": 1,'
        ' "on_timeout": "timeout", "allow_self_approval": false,'
        ' "require_verified_identity": false, "require_comment_on_rejection": false}'
    ),
    "DEFAULT_APPROVERS": "[]",
    "REQUESTS_NAME_APPROVERS": "false",
    "RESUME_MODE": "callback",
    "POLL_INTERVAL_SECONDS": "5",
    "RETENTION_DAYS": "30",
    "LOG_LEVEL": "INFO",
}

CREDENTIALS: Mapping[str, str] = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}
"""Of no real account, and no way to find another's."""

EXTRAS: Mapping[str, str] = {
    "INBOX_TABLE_NAME": "test-Inbox",
    "SIGNING_KEY_ARN": "arn:aws:kms:us-east-1:123456789012:key/1",
    "EVENT_BUS_NAME": "default",
    "MESSAGES_TABLE_NAME": "test-Messages",
    "PERSONAL_TOPIC_ARN": "arn:aws:sns:us-east-1:123456789012:test-personal",
    "WORKFLOW_ALIAS_ARN": "arn:aws:lambda:us-east-1:123456789012:function:workflow:live",
    "PAGE_URL": "https://approvals.example.com",
    "INBOX_URL": "https://approvals.example.com",
    "MAIL": '{"address": "approvals@example.org", "name": "Approvals"}',
    "ARCHIVE": (
        '{"bucket": "test-archive", "key_arn": "arn:aws:kms:us-east-1:123456789012:key/3",'
        ' "queue_url": "https://sqs.us-east-1.amazonaws.com/123456789012/test-unarchived"}'
    ),
    "SLACK": (
        '{"team_id": "T0123ABCD", "channel": null, "direct_messages": true,'
        ' "api": "https://slack.com/api", "secret_arn": "arn:aws:secretsmanager:::secret:s"}'
    ),
}
"""What some functions get besides, or all of them with some options."""

SIGN_IN: Mapping[str, str] = {
    "SIGN_IN_ISSUER": "https://issuer.example.com",
    "SIGN_IN_CLIENT_ID": "approvals",
    "SIGN_IN_CLIENT_SECRET_ARN": "arn:aws:secretsmanager:us-east-1:123456789012:secret:c-AbCdEf",
    "SESSION_KEY_ARN": "arn:aws:kms:us-east-1:123456789012:key/2",
}
"""What the signed-in function gets where browsers sign in to it."""
