"""Names of people and groups: who is named, whom a name stands for, who may be named."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from hitl_approval.domain import text
from hitl_approval.domain.errors import InvalidRequest
from hitl_approval.domain.quorum import MAX_VOTES

MAX_APPROVERS = MAX_VOTES
"""Most approvers of one request: their votes fit one DynamoDB item."""
MAX_NAMED = 10
"""Names in a message that says who may be asked: about three lines of a terminal."""


def validate_names(names: Any, field_name: str) -> tuple[str, ...]:
    """Accept a list of distinct people.

    Raises:
        InvalidRequest: not a list of names, too many, or one person twice.
    """
    if isinstance(names, str | bytes | Mapping) or not isinstance(names, Iterable):
        raise InvalidRequest(field_name, f"must be a list of names, got {text.kind(names)}")
    accepted = tuple(text.name(name, field_name) for name in names)
    if len(accepted) > MAX_APPROVERS:
        raise InvalidRequest(field_name, f"must be at most {MAX_APPROVERS}, got {len(accepted)}")
    seen: set[str] = set()
    for name in accepted:
        if text.person_key(name) in seen:
            raise InvalidRequest(field_name, f"names {name!r} twice")
        seen.add(text.person_key(name))
    return accepted


Members = Callable[[str], Sequence[str] | None]
"""Says which people a name stands for; None: the name is a person's own."""


def members_of(groups: Mapping[str, Sequence[str]]) -> Members:
    """The members of groups known beforehand; case and spaces of a group's name do not matter."""
    by_name = {text.spelling(name): tuple(people) for name, people in groups.items()}
    return lambda name: by_name.get(text.spelling(name))


def expand(names: Sequence[str], members: Members, field_name: str) -> tuple[str, ...]:
    """The people that these names stand for, each once, in the order in which they are named.

    Raises:
        InvalidRequest: a group is empty, a member is not a name, two look the same and are spelled
            otherwise, or there are too many in all.
    """
    expanded: dict[str, str] = {}
    for name in names:
        found = members(name)
        if found is not None and not found:
            raise InvalidRequest(field_name, f"names the group {name!r}, which has no members")
        for member in (name,) if found is None else validate_names(found, field_name):
            expanded.setdefault(text.spelling(member), member)
    return validate_names(tuple(expanded.values()), field_name)


def check_choice(
    people: Sequence[str],
    *,
    approvers: Sequence[str],
    groups: Mapping[str, Sequence[str]],
    field_name: str = "approvers",
    whose: str = "this deployment",
) -> None:
    """Whoever is asked must be one of those whom the deployment names, where it names anybody.

    Args:
        people: who is asked: the request's names, groups expanded, by whatever function.
        approvers: whom the deployment names by default, people and groups.
        groups: its groups.
        field_name: of the request, which named them.
        whose: choice it is, for the message.

    Raises:
        InvalidRequest: somebody else is among them, or nobody is and anybody could decide; says
            who may be named.
    """
    if not approvers and not groups:
        return
    if not people and not approvers:
        raise InvalidRequest(
            field_name,
            f"name nobody, and then anybody could decide: name one or more of {_some([*groups])}, "
            f"or deploy with approvers, or with requests_name_approvers=True",
        )
    members = members_of(groups)
    named = [person for name in (*approvers, *groups) for person in members(name) or (name,)]
    known = {text.spelling(person): person for person in named}
    for person in people:
        if text.spelling(person) not in known:
            raise InvalidRequest(
                field_name,
                f"names {text.shown(person)}, whom {whose} does not: name one or more of "
                f"{_some([*groups, *known.values()])}, or deploy with requests_name_approvers=True",
            )


def _some(names: Sequence[str]) -> str:
    """Names for a message: the first of them, and how many more there are."""
    more = f" and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else ""
    return ", ".join(text.cut(name) for name in names[:MAX_NAMED]) + more


def known_groups(found: Any) -> dict[str, tuple[str, ...]]:
    """Groups as they are asked: names of distinct people.

    Raises:
        ValueError: no names at all.
        InvalidRequest: not names of distinct people.
    """
    if not isinstance(found, Mapping):
        msg = "must be an object of names"
        raise ValueError(msg)  # noqa: TRY004  a file's content is a value
    return {name: validate_names(members, name) for name, members in found.items()}
