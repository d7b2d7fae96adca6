"""Whether two names may be one person's: what keeps a requester out, and never lets anybody in."""

from __future__ import annotations

import re

from hitl_approval.domain.text import person_key

_ROLE = re.compile(
    r"arn:[^:]*:(?:sts::(?P<sts>[0-9]*):assumed-role/|iam::(?P<iam>[0-9]*):role/(?:.*/)?)"
    r"(?P<role>[^/]+)(?:/[^/]*)?",
    re.IGNORECASE,
)


def _is_same_role(name: str, other: str) -> bool:
    """Whether two ARNs may be of one IAM role, by itself or by a session of it.

    Two sessions are two people only if neither is named by the role: who made the request under
    the one name must not decide it under the other.
    """
    one, two = (_ROLE.fullmatch(person_key(arn)) for arn in (name, other))
    if one is None or two is None:
        return False
    sessions = [arn.count("/") > 1 and ":assumed-role/" in arn.lower() for arn in (name, other)]
    accounts = [found["sts"] or found["iam"] for found in (one, two)]
    same = accounts[0] == accounts[1] and one["role"] == two["role"]
    return same and not all(sessions)


def may_be_one(name: str, other: str) -> bool:
    """Whether two names resemble each other, or are ARNs of one IAM role."""
    return person_key(name) == person_key(other) or _is_same_role(name, other)
