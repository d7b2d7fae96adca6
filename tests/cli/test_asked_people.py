"""What `hitl doctor` says of who has left while requests wait for them, and of who was not sent."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from hitl_approval.domain.request import ApprovalRequest
from hitl_approval.testing import World
from tests.anything import NOW, any_opening, any_request

from .conftest import Hitl
from .fake_cloud import FakeCloud
from .test_doctor import Fine, fine
from .test_parts import said

__all__ = ["fine"]  # a fixture
TIME = timedelta(hours=1)


def asking(cloud: FakeCloud, request: ApprovalRequest) -> str:
    return cloud.decisions.store.create(
        any_opening(request=request, now=NOW, timeout=TIME)
    ).approval_id


@pytest.fixture
def asked(fine: Fine, cloud: FakeCloud, world: World) -> str:
    """One request of Ann and Bob."""
    approval_id = asking(cloud, any_request(approvers=("ann", "bob")))
    assert world.inbox is not None
    approval = cloud.decisions.store.get(approval_id)
    assert approval is not None
    world.inbox.add(approval, ["ann", "bob"])
    cloud.decisions = replace(cloud.decisions, inbox=world.inbox)
    return approval_id


def test_should_name_who_has_left_while_requests_wait(
    hitl: Hitl, cloud: FakeCloud, asked: str
) -> None:
    cloud.decisions = replace(cloud.decisions, people=("Bob", "cid"))
    state, found, fix = said(hitl, "people")
    assert state == "wrong"
    assert found == (
        "1 waits for ann, whom the deployment does not name any more; it names Bob, cid; "
        "operators: none"
    )
    assert fix == "hitl stats --approver ann shows what to hand over"


def test_should_find_nobody_gone_whom_the_deployment_names(
    hitl: Hitl, cloud: FakeCloud, asked: str
) -> None:
    cloud.decisions = replace(cloud.decisions, people=("bob", "ANN"))
    assert said(hitl, "people")[0] == "ok"


def test_should_say_whom_the_deployment_names_and_who_its_operators_are(
    hitl: Hitl, cloud: FakeCloud, asked: str
) -> None:
    cloud.decisions = replace(
        cloud.decisions, people=("ann", "bob"), groups=("leads",), operators=("olga",)
    )
    found = said(hitl, "people")[1]
    assert found.endswith("; it names leads, ann, bob; operators: olga")


def test_should_say_that_a_place_was_given_to_somebody_unknown(
    hitl: Hitl, cloud: FakeCloud, asked: str
) -> None:
    cloud.decisions = replace(cloud.decisions, people=("ann", "bob"), operators=("olga",))
    hitl("reassign", asked, "--from", "ann", "--to", "zoe", "--as", "olga", "--yes")
    state, found, fix = said(hitl, "people")
    assert state == "unknown"
    assert found.startswith(f"{asked} was handed over to zoe, whom the deployment does not name;")
    command = f"hitl reassign {asked} --from zoe --to COLLEAGUE --as OPERATOR"
    assert fix == f"if that was not meant: {command}"


def test_should_find_nobody_gone_who_has_answered_or_was_replaced(
    hitl: Hitl, cloud: FakeCloud, asked: str, world: World
) -> None:
    cloud.decisions = replace(cloud.decisions, people=("bob",))
    approval = cloud.decisions.store.get(asked)
    assert approval is not None
    assert world.inbox is not None
    world.inbox.remove(approval, ["ann"])
    assert said(hitl, "people")[0] == "ok"


@pytest.mark.parametrize("people", [(), ("bob",)])
def test_should_not_guess_where_requests_may_ask_anybody(
    hitl: Hitl, cloud: FakeCloud, asked: str, people: tuple[str, ...]
) -> None:
    cloud.decisions = replace(cloud.decisions, people=people, requests_name_approvers=True)
    state, found, _ = said(hitl, "people")
    assert (state, found) == (
        "ok", "requests may ask anybody: nobody is known to have left; operators: none",
    )  # fmt: skip


def test_should_say_who_was_not_sent_a_request_and_why(
    hitl: Hitl, cloud: FakeCloud, asked: str, world: World
) -> None:
    world.notifier.unreachable = {"ann"}
    delivery = replace(world.delivery, store=cloud.decisions.store)
    delivery.take(cloud.decisions.store.history(asked))
    cloud.decisions = replace(cloud.decisions, messages=world.messages)
    state, found, fix = said(hitl, "messages")
    assert state == "wrong"
    assert found.startswith("not sent to ann by sns (")
    assert fix == f"put that right, then hitl repair {asked}"
    world.notifier.unreachable = set()


def test_should_say_that_a_message_is_to_be_sent_again(
    hitl: Hitl, cloud: FakeCloud, fine: Fine, world: World
) -> None:
    store = cloud.decisions.store
    opening = any_opening(
        request=any_request(approvers=["ann", "bob"]), now=NOW, timeout=timedelta(days=30)
    )
    approval_id = store.create(opening).approval_id
    world.notifier.unreachable = {"ann"}
    delivery = replace(world.delivery, store=store)
    cloud.decisions = replace(cloud.decisions, messages=world.messages)
    delivery.take(store.history(approval_id))
    while (due := world.messages.next_due()) is not None:
        world.clock.moment = due
        delivery.deliver_due()
    assert said(hitl, "messages")[0] == "wrong"
    assert hitl("repair", approval_id).status == 0
    assert said(hitl, "messages") == (
        "ok", "1 message taken up again, to be sent now, of 1 pending request", "",
    )  # fmt: skip
    assert re.search(r"Being sent +request to ann, from ", hitl("show", approval_id).out)


@pytest.mark.parametrize(
    ("pending", "expected"),
    [
        (0, "no request is pending"),
        (1, "all were sent, of 1 pending request"),
        (3, "all were sent, of 3 pending requests"),
        (20, "all were sent, of the latest 20 pending requests"),
    ],
)
def test_should_say_how_many_requests_were_examined(
    hitl: Hitl, cloud: FakeCloud, fine: Fine, pending: int, expected: str
) -> None:
    for _ in range(pending):
        asking(cloud, any_request())
    assert said(hitl, "messages")[:2] == ("ok", expected)
