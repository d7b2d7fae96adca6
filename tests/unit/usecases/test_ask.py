"""A deployment's defaults, and requests that say it themselves."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from hitl_approval.domain.errors import InvalidRequest
from hitl_approval.domain.policy import Policy
from hitl_approval.domain.quorum import Quorum
from hitl_approval.domain.request_key import RequestKey
from hitl_approval.testing import World
from hitl_approval.usecases.ask import Defaults, DirectRequests
from tests.anything import any_request
from tests.asking import submit
from tests.unit.usecases.submitted import HOUR

DEFAULTS = Defaults(
    approvers=("ann", "Ops"),
    groups={"ops": ("bob", "ann")},
    policy=Policy(rejections_needed=2, quorum=Quorum.at_least(2)),
    reminders=(timedelta(minutes=5), timedelta(hours=2)),
    page=True,
)


def test_should_fill_in_what_a_request_does_not_say() -> None:
    resolved = DEFAULTS.resolve(any_request(), HOUR)
    assert resolved.approvers == ("ann", "bob")
    assert resolved.policy == DEFAULTS.policy
    assert resolved.reminders == (timedelta(minutes=5),)


def test_should_keep_the_other_rules_under_a_requests_own_quorum() -> None:
    resolved = DEFAULTS.resolve(any_request(quorum=Quorum.everyone()), HOUR)
    assert resolved.policy == Policy(rejections_needed=2, quorum=Quorum.everyone())


WEAKER = r"^quorum: must be at least the deployment's, 2, got 1: leave it out, or deploy with"


@pytest.mark.parametrize(
    ("weaker", "approvers"),
    [(Quorum.any_one(), []), (Quorum.at_least(1), []), (Quorum.everyone(), ["ann"])],
)
def test_should_let_no_request_weaken_the_quorum_of_a_deployment_that_says_who_decides(
    weaker: Quorum, approvers: list[str]
) -> None:
    request = any_request(quorum=weaker, approvers=approvers)
    with pytest.raises(InvalidRequest, match=WEAKER):
        DEFAULTS.resolve(request, HOUR)
    for anybody in (
        replace(DEFAULTS, requests_name_approvers=True, policy=Policy(quorum=Quorum.at_least(2))),
        Defaults(policy=Policy(quorum=Quorum.at_least(2))),
    ):
        assert anybody.resolve(request, HOUR).policy.quorum == weaker


def test_should_count_no_requester_into_the_quorum_that_a_request_brings() -> None:
    """Who asks is among the named and cannot decide: everyone of two would be one."""
    request = any_request(requester="bob", approvers=["ann", "bob"], quorum=Quorum.everyone())
    with pytest.raises(InvalidRequest, match=WEAKER):
        DEFAULTS.resolve(request, HOUR)


def test_should_let_nobody_in_where_a_request_names_none_of_the_groups() -> None:
    grouped = Defaults(groups={"finance": ["ann", "bob"]})
    with pytest.raises(InvalidRequest, match=r"^approvers: name nobody, and then anybody could"):
        grouped.resolve(any_request(), HOUR)
    assert grouped.resolve(any_request(approvers=["finance"]), HOUR).approvers == ("ann", "bob")
    anybody = replace(grouped, requests_name_approvers=True)
    assert anybody.resolve(any_request(), HOUR).approvers == ()


def test_should_prefer_the_members_that_who_asks_has_found() -> None:
    anybody = replace(DEFAULTS, requests_name_approvers=True)
    resolved = anybody.resolve(any_request(approvers=["ops"]), HOUR, {"ops": ["cid", "dan"]})
    assert resolved.approvers == ("cid", "dan")


@pytest.mark.parametrize("fields", [{}, {"reminders": []}], ids=["none said", "none wanted"])
def test_should_remind_nobody_without_a_page(fields: dict[str, Any]) -> None:
    assert Defaults().resolve(any_request(**fields), HOUR).reminders == ()


def test_should_refuse_reminders_without_a_page() -> None:
    with pytest.raises(InvalidRequest, match=r"^reminders: need a deployment with a page$"):
        Defaults().resolve(any_request(reminders=[timedelta(minutes=1)]), HOUR)


def test_should_not_read_again_what_was_written_just_now(world: World) -> None:
    requests, key = DirectRequests(world.requests, Defaults()), RequestKey("arn", "refund")
    submit(requests, key)
    world.store.approvals.clear()  # a read would find nothing

    requests.notify(key)

    assert [sent.approval_id for sent in world.notifier.sent] == [key.approval_id]
