"""How a request ends by itself."""

from __future__ import annotations

import pytest

from hitl_approval.domain.ending import expire
from hitl_approval.domain.policy import OnTimeout, Policy
from tests.anything import any_approval


@pytest.mark.parametrize(
    ("on_timeout", "status"), [(OnTimeout.timeout(), "timeout"), (OnTimeout.reject(), "rejected")]
)
def test_should_mean_by_silence_what_the_policy_says(on_timeout: OnTimeout, status: str) -> None:
    approval = any_approval(policy=Policy(on_timeout=on_timeout))
    ended = expire(approval, now=approval.expires_at)
    assert ended is not None
    assert (ended.after.status, ended.after.decided_by) == (status, "hitl-approval")
    assert ended.event.details == {"reason": "nobody decided in time"}
