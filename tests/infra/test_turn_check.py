"""Those whom a deployment names can decide, after each step of its escalation too."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from hitl_approval_cdk import Escalate, Quorum, resolve

HOUR = timedelta(hours=1)
GROUPS = {"leads": ["bob", "cid"], "board": ["dan"]}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {
                "approvers": ["ann", "bob"],
                "quorum": Quorum.at_least(2),
                "escalation": [Escalate(HOUR, ["cid"], "replace")],
            },
            r"^after step 1 of the escalation only \['cid'\] may decide, which is not enough",
        ),
        (
            {"quorum": Quorum.of({"leads": 1}), "groups": GROUPS, "approvers": ["ann"]},
            r"^quorum names the groups that are asked: leave approvers out",
        ),
        (
            {"quorum": Quorum.of({"finance": 1}), "groups": GROUPS},
            r"^quorum names 'finance', which is no group: add it to groups",
        ),
        (
            {"quorum": Quorum.of({"leads": 3}), "groups": GROUPS},
            r"^quorum needs 3 approvals of 'leads' but 2 of its members may decide: \['bob', 'cid'",
        ),
    ],
)
def test_should_refuse_at_synth(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        resolve(given)  # type: ignore[arg-type]
