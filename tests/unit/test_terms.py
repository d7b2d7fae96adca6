"""A request as a deployment holds it: refused if nobody can decide it; what silence means."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hitl_approval.domain.approval import cancel, cast_vote, expire
from hitl_approval.domain.errors import ApprovalExpired, InvalidRequest
from hitl_approval.domain.policy import OnTimeout, Policy, Quorum
from hitl_approval.usecases.request import ResolvedRequest
from tests.anything import any_approval, any_request, declared


def resolved(approvers: tuple[str, ...], policy: Policy) -> ResolvedRequest:
    return ResolvedRequest(
        request=any_request(requester="rita"),
        approvers=approvers,
        policy=policy,
        timeout=timedelta(hours=1),
    )


@pytest.mark.parametrize(
    ("approvers", "policy", "message"),
    [
        (("Rita",), Policy(), "approvers: name only the requester, who cannot decide"),
        (("ann", "rita"), Policy(quorum=Quorum.at_least(2)), "approvers: quorum needs 2 approvals"),
        (("ann",), Policy(rejections_needed=2), "approvers: rejections_needed is 2 but 1"),
        ((), Policy(quorum=Quorum.everyone()), "approvers: quorum is everyone but no approvers"),
    ],
)
def test_should_refuse_what_nobody_could_ever_decide(
    approvers: tuple[str, ...], policy: Policy, message: str
) -> None:
    with pytest.raises(InvalidRequest) as refused:
        resolved(approvers, policy)
    assert str(refused.value).startswith(message)


def test_should_hold_what_others_can_decide() -> None:
    assert resolved(("ann", "rita"), Policy(quorum=Quorum.everyone())).approvers == ("ann", "rita")


@pytest.mark.parametrize(
    ("on_timeout", "status"), [(OnTimeout.timeout(), "timeout"), (OnTimeout.reject(), "rejected")]
)
def test_should_mean_by_silence_what_the_policy_says(on_timeout: OnTimeout, status: str) -> None:
    approval = any_approval(policy=Policy(on_timeout=on_timeout))
    ended = expire(approval, now=approval.expires_at)
    assert ended is not None
    assert (ended.after.status, ended.after.decided_by) == (status, "hitl-approval")
    assert ended.event.details == {"reason": "nobody decided in time"}


def test_should_take_an_answer_until_the_expiry_and_not_at_it() -> None:
    approval, bob = any_approval(), declared("bob")
    last = approval.expires_at - timedelta(microseconds=1)

    assert cast_vote(approval, bob, "approved", "", now=last)
    assert cancel(approval, bob, "", now=last)
    assert expire(approval, now=last) is None
    with pytest.raises(ApprovalExpired):
        cast_vote(approval, bob, "approved", "", now=approval.expires_at)
    with pytest.raises(ApprovalExpired):
        cancel(approval, bob, "", now=approval.expires_at)
