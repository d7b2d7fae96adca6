"""Stages and the steps of an escalation as they are typed: `leads:2`, `8h:leads`."""

from __future__ import annotations

import re
from typing import Any

from hitl_approval.domain.text import shown
from hitl_approval_cli.errors import usage
from hitl_approval_cli.parameters import seconds

_COUNTED = re.compile(r"(.+):([0-9]{1,3})")


def stage_of(value: str) -> dict[str, Any]:
    """A stage as an event has it.

    `ann,bob` asks both and takes one approval, `ann,bob:2` needs two, and `finance:1,security:2`
    needs its own number of each group.
    """
    words = _words(value)
    counted = [_COUNTED.fullmatch(word) for word in words]
    if not words or (any(counted[:-1]) and not all(counted)):
        raise usage(
            f"--stage: must look like ann,bob, leads:2 or finance:1,security:2, got {shown(value)}"
        )
    if len(words) > 1 and all(counted):
        groups: list[dict[str, Any]] = [
            {"name": match[1], "count": int(match[2]), "people": []} for match in counted if match
        ]
        total = sum(int(match[2]) for match in counted if match)
        return {"quorum": "groups", "quorum_count": total, "quorum_groups": groups}
    last = counted[-1]
    if last is None:
        return {"approvers": words}
    names = [*words[:-1], last[1]]
    return {"approvers": names, "quorum": "at_least", "quorum_count": int(last[2])}


def step_of(value: str) -> dict[str, Any]:
    """A step of an escalation as an event has it: `8h:leads`, `8h:leads,cfo:replace`."""
    after, _, rest = value.partition(":")
    names = rest.removesuffix(":replace")
    mode = "add" if names == rest else "replace"
    if not _words(names):
        raise usage(f"--escalate: must look like 8h:leads or 8h:leads:replace, got {shown(value)}")
    return {"after_seconds": seconds(after, "--escalate"), "to": _words(names), "mode": mode}


def _words(value: str) -> list[str]:
    words = [word.strip() for word in value.split(",")]
    return words if all(words) else []
