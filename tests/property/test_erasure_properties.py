"""Any set of erasures over any trail verifies; any alteration beside them is found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hitl_approval.contract import Audit
from hitl_approval.domain.audit import GENESIS, Actor, AuditEvent, verify
from hitl_approval.domain.salted import ERASED, erase, erased_of, hash_of, is_erasure
from hitl_approval.domain.text import spelling
from tests.anything import NOW

PEOPLE = ["ann", "bob", "Carol C.", "dave@example.com", ERASED]
NAME = st.sampled_from(PEOPLE)
AT = "2026-02-01T00:00:00.000Z"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)
DETAILS = st.fixed_dictionaries(
    {},
    optional={
        "decision": st.sampled_from(["approved", "rejected"]),
        "comments": st.text(max_size=8),
        "input": JSON,
        "to": st.lists(NAME, max_size=3),
        "released": st.lists(NAME, max_size=3),
        "from": NAME,
        "on_behalf_of": NAME,
        "delegation": st.fixed_dictionaries({"to": NAME, "given_by": NAME, "until": st.just(AT)}),
        "reason": st.builds("{}: refused".format, NAME),
        "stage": st.integers(1, 3),
    },
)
KINDS = st.sampled_from(["voted", "approved", "commented", "notification_failed"])
ACTORS = st.builds(Actor, NAME, st.sampled_from(["jwt", "link", "declared", "system"]))
Trail = list[dict[str, Any]]


@st.composite
def trails(draw: Any) -> Trail:
    """Events that follow from each other, as they are stored."""
    trail: Trail = []
    for number, (kind, actor, details) in enumerate(
        draw(st.lists(st.tuples(KINDS, ACTORS, DETAILS), min_size=1, max_size=4))
    ):
        event = AuditEvent(
            approval_id="a",
            sequence=number + 1,
            event=kind,
            at=NOW + timedelta(minutes=number),
            actor=actor,
            content_digest="0" * 64,
            details=details,
            previous_hash=trail[-1][Audit.HASH] if trail else GENESIS,
        )
        trail.append(event.salted(lambda: draw(st.uuids()).hex).to_dict())
    return trail


def without(trail: Sequence[Mapping[str, Any]], people: Sequence[str]) -> Trail:
    found = [dict(event) for event in trail]
    for person in people:
        found = [erase(event, person, at=AT) or event for event in found]
    return found


def texts(value: Any) -> list[str]:
    """Every text in a value."""
    if isinstance(value, Mapping):
        return [text for inner in value.values() for text in texts(inner)]
    if isinstance(value, list):
        return [text for inner in value for text in texts(inner)]
    return [value] if isinstance(value, str) else []


@given(trails(), st.lists(NAME, max_size=4))
def test_should_verify_after_any_erasures(trail: Trail, people: list[str]) -> None:
    after = without(trail, people)

    assert verify(after, None) == []
    assert [event[Audit.HASH] for event in after] == [event[Audit.HASH] for event in trail]
    for before, now in zip(trail, after, strict=True):
        assert is_erasure(before, now) is (erased_of(now) > 0)
        names = [now["actor"], *(now["details"].get("to", [])), now["details"].get("from", "")]
        somebody = before["identity"] != "system"
        gone = {spelling(person) for person in people} - {ERASED}
        assert gone.isdisjoint(map(spelling, names if somebody else names[1:]))


@given(trails(), st.lists(NAME, max_size=2), st.data())
def test_should_erase_in_any_order_to_the_same(trail: Trail, people: list[str], data: Any) -> None:
    other = data.draw(st.permutations(people))
    assert without(trail, people) == without(trail, other)


@given(trails(), NAME)
def test_should_leave_what_is_another_persons(trail: Trail, person: str) -> None:
    for before, after in zip(trail, without(trail, [person]), strict=True):
        if after == before:
            continue
        mine = before["identity"] != "system" and spelling(before["actor"]) == spelling(person)
        assert mine or after["details"].get("comments") == before["details"].get("comments")
        assert mine or after["details"].get("input") == before["details"].get("input")
        for name in ("to", "released"):
            for was, now in zip(
                before["details"].get(name, []), after["details"].get(name, []), strict=True
            ):
                assert now == (ERASED if spelling(was) == spelling(person) else was)


@given(trails(), st.lists(NAME, max_size=3), st.data())
def test_should_find_any_alteration_beside_any_erasures(
    trail: Trail, people: list[str], data: Any
) -> None:
    after = without(trail, people)
    number = data.draw(st.integers(0, len(after) - 1))
    event = deepcopy(after[number])
    place, name = data.draw(st.sampled_from(_places(event)))
    value = data.draw(JSON | st.sampled_from([*PEOPLE, AT, "0" * 64]))
    was = place.get(name)
    if value == was and type(value) is type(was):
        return
    place[name] = value
    if hash_of(event) == event.get(Audit.HASH) and event.keys() == after[number].keys():
        same = {**event, Audit.ERASED_AT: after[number].get(Audit.ERASED_AT)}
        assert {k: v for k, v in same.items() if v is not None} == after[number], (
            "only the time of an erasure is not covered by the hash"
        )
        return
    assert verify([*after[:number], event, *after[number + 1 :]], None)
    assert not is_erasure(trail[number], event)


def _places(event: dict[str, Any]) -> list[tuple[dict[str, Any], str]]:
    """Where an event can be altered: what it says, its details, its salts, what is erased."""
    inner = [event["details"], event.get(Audit.SALTS, {}), event.get(Audit.DIGESTS, {})]
    found = [(event, name) for name in (*event, Audit.SALTS, Audit.DIGESTS, Audit.ERASED_AT)]
    return found + [(p, name) for p in inner for name in (*p, "comments", "actor", "to.0")]
