"""Who is notified, how, and of what: options that say so."""

from __future__ import annotations

from typing import Any

import pytest

from hitl_approval_cdk import EmailApprover, HitlApproval, Slack
from tests.infra.synth import any_stack
from tests.infra.test_slack import any_secret


@pytest.mark.parametrize("option", ["deliver_to", "slack"])
def test_should_need_a_page_where_links_lead(option: str) -> None:
    stack = any_stack()
    values: dict[str, Any] = {
        "deliver_to": [EmailApprover("ann@example.com")],
        "slack": Slack(secret=any_secret(stack), team_id="T0123ABCD"),
    }
    with pytest.raises(ValueError, match=f"^{option} needs a page that links lead to: pass page="):
        HitlApproval(stack, "Approval", **{option: values[option]})
