"""Scenarios in which somebody answers for another, what is promised then, and ways to break it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

from hitl_approval.adapters.delegations import DynamoDbDelegations
from hitl_approval.adapters.dynamodb import DynamoDbStore
from hitl_approval.domain import voting
from hitl_approval.domain.approval import Approval, Transition
from hitl_approval.domain.audit import Actor
from hitl_approval.domain.delegation import Delegation, stand_in
from hitl_approval.domain.policy import Policy
from hitl_approval.domain.quorum import Quorum
from hitl_approval.domain.text import person_key as key
from tests.faults.deployment import APPROVALS_TABLE, AUDIT_TABLE, Deployment, plain
from tests.faults.feeds import client
from tests.faults.scenario import POLLING, SECOND, Scenario, decision, event, under
from tests.faults.simulator import START

__all__ = [
    "STANDING_IN",
    "commits_a_vote_whose_delegation_has_gone",
    "counts_a_delegation_at_its_last_moment",
    "counts_a_delegation_before_it_begins",
    "counts_both_names_of_a_place",
    "lets_one_person_stand_in_for_two",
    "lets_the_requester_stand_in",
    "nobody_stands_in_for_the_requester",
    "only_a_standing_delegation_counts",
]
DAY = timedelta(days=1)
BOTH = under(Policy(quorum=Quorum.at_least(2)))
_GIVER = "S:delegation#"


def _given(
    world: Deployment,
    giver: str,
    to: str,
    starts: timedelta = timedelta(0),
    until: timedelta = DAY,
) -> None:
    """Somebody has said before that another answers for them."""
    delegation = Delegation(
        giver=giver,
        to=to,
        starts_at=START + starts,
        until=START + until,
        given_by=giver,
        identity="declared",
        at=START,
    )
    DynamoDbDelegations(client=client(world), approvals_table=APPROVALS_TABLE).put(delegation)


def _answers_for(world: Deployment, giver: str, to: str) -> Callable[[], bool]:
    """Whether this person answers for that one now."""
    items = world.db.tables[APPROVALS_TABLE]

    def so() -> bool:
        said = plain(items.get((f"{_GIVER}{giver}",), {})).get("delegation", {})
        return bool(said.get("to") == to)

    return so


def _two_names(world: Deployment) -> None:
    """Erin answers for bob as he answers himself; carol must approve as well, and does not."""
    _given(world, "bob", "erin")
    approval = world.start("start", event(approvers=["bob", "carol"]))
    world.person("erin", decision(approval, "erin", "approved"), at=5 * SECOND)
    world.person("bob", decision(approval, "bob", "approved"), at=5 * SECOND)


def _two_places(world: Deployment) -> None:
    """Erin answers in two windows, for bob and for carol, who both must approve."""
    _given(world, "bob", "erin")
    _given(world, "carol", "erin")
    approval = world.start("start", event(approvers=["bob", "carol"]))
    for name in ("erin", "window"):
        world.person(name, decision(approval, "erin", "approved"), at=5 * SECOND)


def _of_the_requester(world: Deployment) -> None:
    """Alice asks, also herself. Erin answers for her, and she for bob; then carol approves."""
    _given(world, "alice", "erin")
    _given(world, "bob", "alice")
    approval = world.start("start", event(approvers=["alice", "bob", "carol"]))
    world.person("erin", decision(approval, "erin", "approved"), at=5 * SECOND)
    world.person("alice", decision(approval, "alice", "approved"), at=5 * SECOND)
    world.person("carol", decision(approval, "carol", "approved"), at=5 * SECOND)


def _in_time(world: Deployment) -> None:
    """Erin answers just before bob's delegation begins, gale as dave's does, frank as one ends."""
    moment = timedelta(milliseconds=1)
    _given(world, "bob", "erin", starts=10 * SECOND)
    _given(world, "carol", "frank", until=20 * SECOND)
    _given(world, "dave", "gale", starts=10 * SECOND, until=10 * SECOND + moment)
    approval = world.start("start", event())
    for name, at in (("erin", 10 * SECOND - moment), ("gale", 10 * SECOND), ("frank", 20 * SECOND)):
        world.person(name, decision(approval, name, "approved"), at=at)
    world.person("carol", decision(approval, "carol", "approved"), at=30 * SECOND)


def _ended(world: Deployment) -> None:
    """Erin answers for bob just as he ends that."""
    _given(world, "bob", "erin")
    approval = world.start("start", event(approvers=["bob"]))
    world.person("erin", decision(approval, "erin", "approved"), at=5 * SECOND)
    world.person("bob", {"action": "end_delegation", "approver": "bob"}, at=5 * SECOND)


def _passed_on(world: Deployment) -> None:
    """Erin answers for bob just as he lets frank do it instead, who answers at once."""
    _given(world, "bob", "erin")
    approval = world.start("start", event(approvers=["bob"]))
    instead: Mapping[str, Any] = {
        "action": "delegate",
        "approver": "bob",
        "to": "frank",
        "until": (START + DAY).isoformat(),
    }
    world.person("erin", decision(approval, "erin", "approved"), at=5 * SECOND)
    world.person("bob", instead, at=5 * SECOND)
    frank = _answers_for(world, "bob", "frank")
    world.person("frank", decision(approval, "frank", "rejected"), when=frank)


STANDING_IN: Sequence[Scenario] = [
    Scenario("two-names", _two_names, BOTH),
    Scenario("two-places", _two_places, BOTH),
    Scenario("delegates-of-the-requester", _of_the_requester),
    Scenario("delegated-in-time", _in_time, BOTH),
    Scenario("delegation-ended", _ended),
    Scenario("delegation-ended-polling", _ended, POLLING),
    Scenario("delegation-passed-on", _passed_on),
]


def only_a_standing_delegation_counts(deployment: Deployment) -> Iterator[str]:
    """23. A vote for another is by whom they had named, in time, and until it was committed."""
    standing: dict[str, Mapping[str, str] | None] = {}
    for wrote in deployment.world.writes:
        table, item = wrote.write.table, wrote.write.after
        if table == APPROVALS_TABLE and wrote.write.key[0].startswith(_GIVER):
            said = plain(item)
            standing[key(said["giver"])] = said.get("delegation")
        elif table == AUDIT_TABLE and "on_behalf_of" in (voted := plain(item))["details"]:
            yield from _rests_on(voted, standing.get(key(voted["details"]["on_behalf_of"])))
    for answer in deployment.answers:
        if answer.status == 200 and answer.payload.get("action") == "delegate":
            written = deployment.world.writes[answer.written.start : answer.written.stop]
            to = {plain(w.write.after).get("delegation", {}).get("to") for w in written}
            if answer.payload["to"] not in to:
                yield f"{answer.actor} named {answer.payload['to']}, and that is not on record"


def _rests_on(voted: Mapping[str, Any], stood: Mapping[str, str] | None) -> Iterator[str]:
    who, details = voted["actor"], voted["details"]
    vote = f"{who} voted for {details['on_behalf_of']}"
    if stood is None:
        yield f"{vote}, for whom nobody answered then"
        return
    if key(stood["to"]) != key(who):
        yield f"{vote}, for whom {stood['to']} answered then"
    starts, until = (datetime.fromisoformat(stood[name]) for name in ("from", "until"))
    if not starts <= datetime.fromisoformat(voted["at"]) < until:
        yield f"{vote} at {voted['at']}, not from {stood['from']} until before {stood['until']}"
    if details["delegation"] != stood:
        yield f"{vote} by another delegation than stood then"


def nobody_stands_in_for_the_requester(deployment: Deployment) -> Iterator[str]:
    """24. A delegate of who asked never decides, and who asked never decides for another."""
    for approval_id, row in deployment.rows().items():
        for voted in deployment.events(approval_id):
            if (giver := voted["details"].get("on_behalf_of")) is None:
                continue
            if key(row["requester"]) in {key(giver), key(voted["actor"])}:
                yield f"{voted['actor']} voted for {giver}, and {row['requester']} had asked"


@contextmanager
def counts_both_names_of_a_place() -> Iterator[None]:
    """Of who is asked, and of who stands in for them."""
    with patch.object(voting, "_check_first", lambda *_: None):
        yield


@contextmanager
def lets_one_person_stand_in_for_two() -> Iterator[None]:
    with (
        patch.object(Approval, "vote_of", lambda *_: None),
        patch.object(voting, "_check_first", lambda *_: None),
    ):
        yield


@contextmanager
def lets_the_requester_stand_in() -> Iterator[None]:
    """And others for them."""

    def careless(approval: Approval, actor: Actor, *args: Any, **more: Any) -> Delegation | None:
        nobody = dataclasses.replace(approval, requester="nobody")
        return stand_in(nobody, actor, *args, **more)

    with patch.object(voting, "stand_in", careless):
        yield


@contextmanager
def counts_a_delegation_before_it_begins() -> Iterator[None]:
    with patch.object(Delegation, "is_active", lambda self, now: now < self.until):
        yield


@contextmanager
def counts_a_delegation_at_its_last_moment() -> Iterator[None]:
    to = DynamoDbDelegations.to

    def late(self: Any, name: str, *, after: datetime, **more: Any) -> Sequence[Delegation]:
        return to(self, name, after=after - SECOND, **more)

    with (
        patch.object(DynamoDbDelegations, "to", late),
        patch.object(Delegation, "is_active", lambda one, now: one.starts_at <= now <= one.until),
    ):
        yield


@contextmanager
def commits_a_vote_whose_delegation_has_gone() -> Iterator[None]:
    commit = DynamoDbStore.commit

    def unchecked(self: DynamoDbStore, transition: Transition) -> None:
        commit(self, dataclasses.replace(transition, delegation=None))

    with patch.object(DynamoDbStore, "commit", unchecked):
        yield
