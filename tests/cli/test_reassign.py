"""`hitl reassign`: somebody else in an approver's place."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hitl_approval.testing import World

from .conftest import Hitl
from .fake_cloud import FakeCloud
from .pending import requested


def test_should_ask_somebody_else_in_an_approvers_place(hitl: Hitl, world: World) -> None:
    approval_id = requested(world, approvers=("ann", "bob"))
    result = hitl("reassign", approval_id, "--to", "cid", "--as", "ann", "-m", "I am away")
    assert result.status == 0
    assert (
        result.out == f"{approval_id} now asks cid: 0 of 1 approvals; cid or bob can still answer\n"
    )
    event = world.store.history(approval_id)[-1]
    assert (event["event"], event["actor"], event["details"]["comments"]) == (
        "reassigned", "ann", "I am away",
    )  # fmt: skip
    assert "Handed over  from ann to cid\n" in hitl("show", approval_id).out
    assert "from ann to cid: I am away" in " ".join(hitl("history", approval_id).out.split())


def test_should_say_in_whose_name_an_operator_did_it(
    hitl: Hitl, world: World, cloud: FakeCloud
) -> None:
    cloud.decisions = replace(cloud.decisions, operators=("olga",))
    approval_id = requested(world, approvers=("ann", "bob"))
    assert hitl("reassign", approval_id, "--from", "ann", "--to", "cid", "--as", "olga").status == 0
    assert "Handed over  from ann to cid, by olga" in hitl("show", approval_id).out
    assert hitl("show", approval_id, "--json").json["handed_over"] == [{"from": "ann", "to": "cid"}]


@pytest.fixture
def of_ann_and_bob(cloud: FakeCloud, world: World) -> str:
    """A request of a deployment that names three people."""
    cloud.decisions = replace(
        cloud.decisions, people=("ann", "bob", "cid"), groups=("leads",), operators=("olga",)
    )
    return requested(world, approvers=("ann", "bob"))


def test_should_ask_before_somebody_may_decide_whom_nobody_has_named(
    hitl: Hitl, world: World, of_ann_and_bob: str
) -> None:
    """The domain allows it; a slip of the pen at night would mail a stranger a link."""
    words = ("reassign", of_ann_and_bob, "--to", "zoe", "--as", "ann")
    result = hitl(*words)
    assert result.status == 2
    assert (
        "--to: the deployment does not name 'zoe', it names leads, ann, bob, cid; operators: olga; "
        "pass --yes if this is meant"
    ) in result.err
    declined = hitl(*words, stdin="n\n", terminal=True)
    assert "Ask 'zoe', who may then decide?" in declined.out
    assert "Nothing was changed." in declined.err
    assert len(world.store.history(of_ann_and_bob)) == 1
    assert hitl(*words, stdin="y\n", terminal=True).status == 0
    again = ("reassign", of_ann_and_bob, "--from", "bob", "--to", "eve", "--as", "bob", "--yes")
    assert hitl(*again).status == 0
    assert len(world.store.history(of_ann_and_bob)) == 3


def test_should_ask_nothing_about_who_is_named(hitl: Hitl, of_ann_and_bob: str) -> None:
    assert hitl("reassign", of_ann_and_bob, "--to", "CID", "--as", "ann").status == 0


def test_should_say_who_may_hand_over_and_what_is_wrong(hitl: Hitl, world: World) -> None:
    approval_id = requested(world, approvers=("ann", "bob"))
    result = hitl("reassign", approval_id, "--from", "ann", "--to", "cid", "--as", "eve")
    assert (result.status, "eve cannot hand this over: ann or an operator can" in result.err) == (
        1, True,
    )  # fmt: skip
    result = hitl("reassign", approval_id, "--to", "bob", "--as", "ann")
    assert (result.status, "--to: 'bob' is asked already" in result.err) == (2, True)
    assert hitl("reassign", approval_id).status == 2
    assert len(world.store.history(approval_id)) == 1
