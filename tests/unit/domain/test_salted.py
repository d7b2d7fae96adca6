"""A personal value goes and its event still verifies; everything else that is done to it shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from hitl_approval.contract import Audit
from hitl_approval.domain.audit import Actor, AuditEvent, verify
from hitl_approval.domain.delegation import Delegation
from hitl_approval.domain.notification import note_notification_failed
from hitl_approval.domain.salted import (
    ERASED,
    NAMES,
    PLAIN,
    erase,
    erased_of,
    hash_of,
    is_erasure,
    is_said,
    with_salts,
)
from tests.anything import NOW, any_approval

AT = "2026-02-01T00:00:00.000Z"
NOBODY: dict[str, Any] = {"identity": "system", "actor": "system"}


def stored(**fields: Any) -> dict[str, Any]:
    """An event as it is stored: of a vote by bob for ann, with all that a vote may say."""
    drawn = count(1)
    details = {
        "decision": "approved",
        "comments": "as ann said",
        "input": {"limit": 12.5},
        "changes": {"amount": {"asked": 1, "approved": 2}},
        "on_behalf_of": "ann",
        "delegation": {"to": "bob", "given_by": "Ann", "from": AT, "until": AT},
        "to": ["carol", "dave"],
        "released": ["ann", "bob"],
        "from": "ann",
        "session": "arn:aws:sts::1:assumed-role/r/bob",
        "issuer": "https://issuer.example",
        "stage": 1,
    }
    event = AuditEvent(
        approval_id="a",
        sequence=1,
        event="stage_opened",
        at=NOW,
        actor=Actor("bob", "jwt"),
        content_digest="0" * 64,
        details=fields.pop("details", details),
        previous_hash="0" * 64,
    )
    if fields:
        event = replace(event, **fields)
    return event.salted(lambda: f"salt-{next(drawn)}").to_dict()


def gone(event: Mapping[str, Any], *people: str) -> dict[str, Any]:
    """The event without these people."""
    for person in people:
        event = erase(event, person, at=AT) or event
    return dict(event)


def wrong(event: Mapping[str, Any]) -> bool:
    return bool(verify([event], None))


def test_should_erase_what_is_a_persons_and_leave_the_others() -> None:
    after = gone(stored(), "BOB")

    assert after["actor"] == ERASED
    assert after["details"] == {
        **stored()["details"],
        "comments": ERASED,
        "input": ERASED,
        "changes": ERASED,
        "session": ERASED,
        "delegation": {"to": ERASED, "given_by": "Ann", "from": AT, "until": AT},
        "released": ["ann", ERASED],
    }
    assert after[Audit.ERASED_AT] == AT
    assert erased_of(after) == len(after[Audit.DIGESTS]) == 7
    assert after[Audit.HASH] == stored()[Audit.HASH] == hash_of(after)
    assert not wrong(after)


def test_should_erase_who_is_only_named_and_leave_what_the_actor_said() -> None:
    after = gone(stored(), "ann")
    assert sorted(after[Audit.DIGESTS]) == [
        "delegation.given_by",
        "from",
        "on_behalf_of",
        "released.0",
    ]
    assert after["actor"] == "bob"
    assert after["details"]["comments"] == "as ann said"


def test_should_erase_one_after_the_other_until_no_salt_is_left() -> None:
    after = gone(stored(), "ann", "bob", "carol", "dave")
    assert Audit.SALTS not in after
    assert not wrong(after)
    assert erase(after, "bob", at=AT) is None


def test_should_erase_nothing_of_somebody_else() -> None:
    assert erase(stored(), "rob", at=AT) is None
    assert erase(stored(), ERASED, at=AT) is None


def test_should_keep_a_salt_of_its_own_for_each_value() -> None:
    """What stays of one value must not help to guess another that is erased."""
    event = stored()
    assert len(set(event[Audit.SALTS].values())) == len(event[Audit.SALTS])
    bobs = {"actor", "comments", "input", "changes", "session", "delegation.to", "released.1"}
    assert gone(event, "bob")[Audit.SALTS].keys() == event[Audit.SALTS].keys() - bobs


def test_should_hash_by_the_salt() -> None:
    """Without it nobody tells a right guess of a name from a wrong one."""
    event = stored()
    for path in event[Audit.SALTS]:
        other = {**event, Audit.SALTS: {**event[Audit.SALTS], path: "another"}}
        assert hash_of(other) != event[Audit.HASH], path
        assert wrong(other), path


@pytest.mark.parametrize(
    "forge",
    [
        lambda e: {**e, "actor": "mallory"},
        lambda e: {**e, "details": {**e["details"], "comments": "never"}},
        lambda e: {**e, "details": {**e["details"], "decision": "rejected"}},
        lambda e: {**e, Audit.DIGESTS: {**e[Audit.DIGESTS], "actor": "0" * 64}},
        lambda e: {**e, Audit.DIGESTS: {k: v for k, v in e[Audit.DIGESTS].items() if k != "actor"}},
        lambda e: {**e, Audit.DIGESTS: None},
        lambda e: {**e, Audit.DIGESTS: "x"},
        lambda e: {k: v for k, v in e.items() if k != Audit.DIGESTS},
        lambda e: {k: v for k, v in e.items() if k != Audit.SALTS},
        lambda e: {**e, Audit.SALTS: {**e[Audit.SALTS], "actor": "any"}},
        lambda e: {**e, Audit.SALTS: {**e[Audit.SALTS], "decision": "any"}},
        lambda e: {**e, Audit.SALTS: {**e[Audit.SALTS], "no.such": "any"}},
        lambda e: {**e, Audit.SALTS: {**e[Audit.SALTS], "to.0": 7}},
        lambda e: {**e, Audit.SALTS: "x"},
        lambda e: {k: v for k, v in e.items() if k != Audit.ERASED_AT},
        lambda e: {**e, Audit.ERASED_AT: None},
    ],
)
def test_should_name_what_is_passed_off_as_an_erasure(forge: Any) -> None:
    before = stored()
    forged = forge(gone(before, "bob"))
    assert wrong(forged)
    assert not is_erasure(before, forged)


def test_should_never_take_a_value_that_was_put_back_for_the_one_that_was_erased() -> None:
    after = gone(stored(), "bob")
    again = {
        **after,
        "actor": "mallory",
        Audit.SALTS: {**after[Audit.SALTS], "actor": stored()[Audit.SALTS]["actor"]},
    }
    assert wrong(again)
    assert wrong({**again, "actor": "bob"})  # one that is there is not erased


def test_should_name_a_time_of_an_erasure_that_never_was() -> None:
    assert wrong({**stored(), Audit.ERASED_AT: AT})
    assert is_said(stored())


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (stored(), stored()),
        (gone(stored(), "bob"), gone(stored(), "bob")),
        (gone(stored(), "bob"), stored()),
        (gone(stored(), "ann", "bob"), gone(stored(), "bob")),
        (stored(), {**gone(stored(), "bob"), Audit.SIGNATURE: "x"}),
        (stored(), {}),
        ({}, gone(stored(), "bob")),
        ({**stored(), "actor": "mallory"}, gone(stored(), "bob")),
    ],
    ids=str,
)
def test_should_take_nothing_else_for_an_erasure(before: Any, after: Any) -> None:
    assert not is_erasure(before, after)


def test_should_know_an_erasure() -> None:
    signed = {**stored(), Audit.SIGNATURE: "x"}
    assert is_erasure(signed, gone(signed, "bob"))
    assert is_erasure(gone(signed, "bob"), gone(signed, "bob", "ann"))


def test_should_name_an_erasure_whose_record_still_stands() -> None:
    approval = any_approval()
    (finding, *_) = verify([gone(stored(), "bob")], approval.audit_head)
    assert finding.problem == "has values erased, and its record still stands"


def test_should_salt_nothing_that_is_nobodys() -> None:
    details = dict.fromkeys(PLAIN, "x") | {"reason": "nobody decided in time"}
    assert with_salts({**NOBODY, "event": "timeout", "details": details}, str) == {}


def test_should_salt_each_detail_that_is_not_known_to_say_nothing_of_a_person() -> None:
    said = {"identity": "jwt", "actor": "bob", "event": "voted"}
    details = {"a_new_one": "x", "comments": "", "issuer": "y"}
    assert with_salts({**said, "details": details}, str).keys() == {"actor", "a_new_one"}
    assert PLAIN.isdisjoint(NAMES)


def test_should_erase_who_could_not_be_sent_a_message() -> None:
    noted = note_notification_failed(any_approval(), "unknown", now=NOW, recipient="ann")
    assert noted is not None
    event = noted.event.salted(lambda: "salt").to_dict()
    assert gone(event, "ann")["details"] == {"reason": ERASED}
    assert erase(event, "an", at=AT) is None
    assert erase(event, "system", at=AT) is None


def test_should_know_the_names_of_a_delegation() -> None:
    given = Delegation(
        giver="ann",
        to="bob",
        starts_at=NOW,
        until=NOW + timedelta(days=1),
        given_by="olga",
        identity="jwt",
        at=NOW,
    )
    event = stored(details={"on_behalf_of": "ann", "delegation": given.to_dict()})
    after = gone(event, "ann", "bob", "olga")
    assert [value for value in after["details"]["delegation"].values() if value == ERASED] == (
        [ERASED] * 2
    )
    assert after["details"]["on_behalf_of"] == ERASED
