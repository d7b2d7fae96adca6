"""Personal values of audit events: each is hashed by a digest of its own, so that it can go.

An event's hash covers the SHA-256 code (HMAC) of each personal value, keyed with a salt that stands
beside the event. To erase a value is to put its digest in place of value and salt: the hash stays
what it was, and without the salt nobody can try names until one fits. Anything else that is done to
an event makes another hash.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from hitl_approval.contract import Audit
from hitl_approval.domain.text import canonical_json, spelling

ERASED: Final = "[erased]"
"""What stands where a personal value stood."""
NOBODY: Final = frozenset({"system", "rule"})
"""Identities behind which there is no person."""
PLAIN: Final = frozenset(
    {
        "answers",
        "decision",
        "escalation",
        "execution_arn",
        "expired_at",
        "expires_at",
        "issuer",
        "question",
        "retracted",
        "rule",
        "stage",
        "superseded_by",
    }
)
"""Details that say nothing of a person. Whatever else stands in an event's details is personal."""
NAMES: Final = frozenset({"from", "on_behalf_of", "released", "to"})
"""Details that name people: one, or several in a list."""
_DELEGATION: Final = "delegation"
_OF_A_DELEGATION: Final = ("given_by", "to")
"""Of its fields, those that name people."""
_BESIDE: Final = frozenset({Audit.HASH, Audit.SIGNATURE, Audit.SALTS, Audit.ERASED_AT})
"""What stands beside an event and is no part of what is hashed."""
_ACTOR: Final = "actor"
_REASON: Final = "reason"
"""Of a message that could not be sent; it begins with its recipient's name."""

Event = Mapping[str, Any]


def personal(event: Event) -> Iterator[str]:
    """Where the personal values of an event stand, as `actor`, or in its details as `to.0`.

    Args:
        event: as it is when it happens, of which nothing is erased.
    """
    by_somebody = event.get("identity") not in NOBODY
    if by_somebody:
        yield _ACTOR
    for name, value in event["details"].items():
        if name in PLAIN or not value:
            continue
        if name in NAMES:
            several = not isinstance(value, str)
            yield from (f"{name}.{n}" for n in range(len(value))) if several else [name]
        elif name == _DELEGATION:
            yield from (f"{name}.{each}" for each in _OF_A_DELEGATION if value.get(each))
        elif by_somebody or event.get("event") == "notification_failed":
            yield name


def with_salts(event: Event, draw: Callable[[], str]) -> dict[str, str]:
    """A salt for each personal value of an event, by where it stands.

    Args:
        event: as it is when it happens.
        draw: gives a text that nobody can guess, another each time.
    """
    return {path: draw() for path in personal(event)}


def hash_of(event: Event) -> str:
    """SHA-256 of what an event says, as it is stored or before it has its hash.

    Personal values count by their digests, whether they are there or erased.
    """
    return hashlib.sha256(canonical_json(_hashed(event)).encode()).hexdigest()


def _hashed(event: Event) -> dict[str, Any]:
    said = {name: value for name, value in event.items() if name not in _BESIDE}
    if Audit.SALTS not in event:
        return said
    salts, digests = event[Audit.SALTS], said.get(Audit.DIGESTS, {})
    nothing = {**said, Audit.DIGESTS: None}  # which no event has ever said
    try:
        found = {path: _digest(salt, _get(said, path)) for path, salt in salts.items()}
        for path in found:
            said = _put(said, path, ERASED)
        both = {**digests, **found}
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        return nothing
    # What is erased and is there would be one of the two by a lie.
    return {**said, Audit.DIGESTS: both} if len(both) == len(digests) + len(found) else nothing


def erased_of(event: Event) -> int:
    """How many values of an event are erased."""
    digests = event.get(Audit.DIGESTS)
    return len(digests) if isinstance(digests, Mapping) else 0


def erase(event: Event, person: str, *, at: str) -> dict[str, Any] | None:
    """An event without what is a person's in it; None where nothing is.

    Theirs are their name, wherever an event names them, and what they have said in events of their
    own. What others have said stays, whatever it says.

    Args:
        event: as it is stored, and as it was written.
        person: their name.
        at: when it is erased.
    """
    salts = event.get(Audit.SALTS)
    if not isinstance(salts, Mapping):
        return None
    gone = [path for path in salts if _is_of(event, path, spelling(person))]
    if not gone:
        return None
    after = dict(event)
    digests = dict(event.get(Audit.DIGESTS, {}))
    for path in gone:
        digests[path] = _digest(salts[path], _get(event, path))
        after = _put(after, path, ERASED)
    kept = {path: salt for path, salt in salts.items() if path not in digests}
    del after[Audit.SALTS]
    return {
        **after,
        **({Audit.SALTS: kept} if kept else {}),
        Audit.DIGESTS: digests,
        Audit.ERASED_AT: at,
    }


def is_erasure(before: Event, after: Event) -> bool:
    """Whether all that has become of an event is that personal values of it went.

    Args:
        before: as it was stored.
        after: as it is.
    """
    same = all(before.get(name) == after.get(name) for name in (Audit.HASH, Audit.SIGNATURE))
    whole = hash_of(before) == hash_of(after) == after.get(Audit.HASH)
    return same and whole and erased_of(after) > erased_of(before) and is_said(after)


def is_said(event: Event) -> bool:
    """Whether an event says when values of it were erased, if any were, and else nothing of it."""
    at = event.get(Audit.ERASED_AT)
    return isinstance(at, str) if erased_of(event) else at is None


def _is_of(event: Event, path: str, wanted: str) -> bool:
    """Whether a value is this person's, whose name is spelled so."""
    value = _get(event, path)
    field, _, _ = path.partition(".")
    if field in {_ACTOR, _DELEGATION} | NAMES:
        return isinstance(value, str) and spelling(value) == wanted
    if field == _REASON and event.get("identity") in NOBODY:
        return spelling(str(value)).startswith(f"{wanted}:")
    return event.get("identity") not in NOBODY and spelling(str(event[_ACTOR])) == wanted


def _digest(salt: Any, value: Any) -> str:
    return hmac.new(salt.encode(), canonical_json(value).encode(), hashlib.sha256).hexdigest()


def _get(event: Event, path: str) -> Any:
    if path == _ACTOR:
        return event[_ACTOR]
    found: Any = event["details"]
    for step in path.split("."):
        found = found[step] if isinstance(found, Mapping) else found[int(step)]
    return found


def _put(event: Event, path: str, value: Any) -> dict[str, Any]:
    """An event with another value there."""
    if path == _ACTOR:
        return {**event, _ACTOR: value}
    return {**event, "details": _with(event["details"], path.split("."), value)}


def _with(inside: Any, steps: Sequence[str], value: Any) -> Any:
    if not steps:
        return value
    first, *rest = steps
    if isinstance(inside, Mapping):
        return {**inside, first: _with(inside[first], rest, value)}
    return [_with(each, rest, value) if n == int(first) else each for n, each in enumerate(inside)]
