"""Whom pending requests wait for, and whether they were reached; `hitl doctor` shows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, Final

from hitl_approval.domain.message import GIVEN_UP
from hitl_approval.domain.text import spelling
from hitl_approval_cli import output
from hitl_approval_cli.checks import Found
from hitl_approval_cli.deployment import Deployment

LISTED: Final = 1_000
"""Pending requests whose approvers are read, the newest ones: ten calls."""
EXAMINED: Final = 20
"""People whose inbox is read, and requests whose messages are: a call each, some seconds."""
NAMED: Final = 3
"""Of which the command is shown that comes next."""


def people(deployment: Deployment) -> Found:
    """Whether requests wait for somebody who has left: whom the deployment does not name."""
    named = deployment.call({"action": "people"})
    if named["others"]:
        return "ok", "requests may ask anybody: nobody is known to have left", ""
    known = set(map(spelling, named["people"]))
    asked = (name for each in islice(_pending(deployment), LISTED) for name in each["approvers"])
    left = list({spelling(name): name for name in asked if spelling(name) not in known}.values())
    found, fixes = [], []
    for name in left[:EXAMINED]:
        count = sum(1 for _ in deployment.awaiting(name))
        if count:
            wait = f"{count} {'waits' if count == 1 else 'wait'} for {name}"
            found.append(f"{wait}, whom the deployment does not name any more")
            fixes.append(hand_over(deployment, name))
    if found:
        return "wrong", "; ".join(found), "; ".join(fixes[:NAMED])
    return "ok", "requests wait for people whom the deployment names", ""


def messages(deployment: Deployment) -> Found:
    """Whether everybody was sent what the latest pending requests ask of them."""
    found, fixes = [], []
    examined = list(islice(_pending(deployment), EXAMINED))
    for each in examined:
        record = deployment.call({"action": "get", "approval_id": each["approval_id"]})
        failed = {
            f"{sent['recipient']} by {sent['channel']} ({sent['reason'] or 'no answer'})"
            for sent in record.get("messages", ())
            if sent["state"] in GIVEN_UP or (sent["state"] == "open" and sent["reason"])
        }
        if failed:
            found += sorted(failed)
            fixes.append(deployment.command("repair", each["approval_id"]))
    if found:
        shown = dict.fromkeys(found)
        what = f"not sent to {'; '.join([*shown][:NAMED])}"
        more = f" and {len(shown) - NAMED} more" if len(shown) > NAMED else ""
        return "wrong", what + more, f"put that right, then {'; '.join(fixes[:NAMED])}"
    if not examined:
        return "ok", "no request is pending", ""
    latest = "the latest " if len(examined) == EXAMINED else ""
    return "ok", f"all were sent, of {latest}{output.count(len(examined), 'pending request')}", ""


def hand_over(deployment: Deployment, name: str) -> str:
    """What to do about what waits for somebody who has left."""
    return f"{deployment.command('stats', '--approver', name)} shows what to hand over"


def _pending(deployment: Deployment) -> Iterator[Mapping[str, Any]]:
    for page in deployment.pages("pending"):
        yield from page["approvals"]
