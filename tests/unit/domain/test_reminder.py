"""Who may be asked again, and when."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from hitl_approval.domain.approval import Approval
from hitl_approval.domain.ending import cancel
from hitl_approval.domain.errors import (
    AlreadyDecided,
    ApprovalExpired,
    InvalidRequest,
    RemindedAlready,
)
from hitl_approval.domain.policy import Policy
from hitl_approval.domain.quorum import Quorum
from hitl_approval.domain.reminder import REMIND_AGAIN, check_not_too_soon, remind
from hitl_approval.domain.voting import cast_vote
from tests.anything import NOW, any_approval, any_request, declared

SOON = NOW + timedelta(minutes=1)
RITA = declared("rita")


def asked(*approvers: str) -> Approval:
    policy = Policy(quorum=Quorum.everyone()) if approvers else Policy()
    return any_approval(request=any_request(approvers=approvers), policy=policy)


def again(approval: Approval, *names: str, **options: Any) -> list[str]:
    return list(remind(approval, RITA, names, now=options.get("now", SOON)).event.details["to"])


def voted(approval: Approval, name: str) -> Approval:
    transition = cast_vote(approval, declared(name), "approved", "", now=SOON)
    assert transition
    return transition.after


def test_should_ask_all_again_who_have_not_answered() -> None:
    approval = asked("ann", "bob", "cid")
    assert again(approval) == ["ann", "bob", "cid"]
    assert again(voted(approval, "bob")) == ["ann", "cid"]
    assert again(approval, "CID ") == ["cid"]


def test_should_leave_the_record_pending_and_its_trail_whole() -> None:
    approval = asked("ann", "bob")
    transition = remind(approval, RITA, [], now=SOON)
    assert transition.after.pending
    assert transition.event.previous_hash == approval.audit_hash
    assert (transition.event.event, transition.event.actor) == ("reminded", RITA)


@pytest.mark.parametrize(
    ("approval", "names", "said"),
    [
        (asked("ann", "bob"), ["eve"], "'eve' is not an approver"),
        (voted(asked("ann", "bob"), "ann"), ["ann"], "'ann' has answered already"),
        (asked(), [], "names nobody"),
    ],
)
def test_should_refuse_whom_nobody_waits_for(
    approval: Approval, names: list[str], said: str
) -> None:
    with pytest.raises(InvalidRequest, match=said):
        again(approval, *names)


def test_should_refuse_when_there_is_nothing_to_answer() -> None:
    approval = asked("ann")
    ended = cancel(approval, RITA, "", now=SOON)
    assert ended
    with pytest.raises(AlreadyDecided):
        again(ended.after)
    with pytest.raises(ApprovalExpired):
        again(approval, now=approval.expires_at)


def test_should_not_be_too_soon_for_one_of_them() -> None:
    approval = asked("ann", "bob")
    trail = [remind(approval, RITA, ["ann"], now=SOON).entry]
    soon, later = SOON + REMIND_AGAIN - timedelta(seconds=1), SOON + REMIND_AGAIN
    check_not_too_soon(remind(approval, RITA, ["bob"], now=soon), trail, now=soon)
    with pytest.raises(RemindedAlready) as refused:
        check_not_too_soon(remind(approval, RITA, [], now=soon), trail, now=soon)
    assert refused.value.details["recipient"] == "ann"
    check_not_too_soon(remind(approval, RITA, [], now=later), trail, now=later)
