"""Whom pending requests wait for, and whether they were reached; `hitl doctor` shows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, Final

from hitl_approval.domain.message import GIVEN_UP
from hitl_approval.domain.text import listed_some, spelling
from hitl_approval_cli import output
from hitl_approval_cli.checks import Found
from hitl_approval_cli.deployment import Deployment
from hitl_approval_cli.named_people import NamedPeople

LISTED: Final = 1_000
"""Pending requests whose approvers are read, the newest ones: ten calls."""
EXAMINED: Final = 20
"""People whose inbox is read, and requests whose messages are: a call each, some seconds."""
NAMED: Final = 3
"""Of which the command is shown that comes next."""


def people(deployment: Deployment) -> Found:
    """Whether requests wait for somebody whom the deployment does not name, or not any more."""
    named = NamedPeople.of(deployment)
    if named.others:
        operators = listed_some(named.operators) or "none"
        anybody = f"requests may ask anybody: nobody is known to have left; operators: {operators}"
        return "ok", anybody, ""
    asked = [name for each in islice(_pending(deployment), LISTED) for name in each["approvers"]]
    left = list({spelling(name): name for name in named.unknown(asked)}.values())
    found: list[str] = []
    fixes: list[str] = []
    for name in left[:EXAMINED]:
        count = sum(1 for _ in deployment.awaiting(name))
        if count:
            wait = f"{count} {'waits' if count == 1 else 'wait'} for {name}"
            found.append(f"{wait}, whom the deployment does not name any more")
            fixes.append(hand_over(deployment, name))
    if found:
        return "wrong", "; ".join([*found, named.in_words]), "; ".join(fixes[:NAMED])
    for each in islice(_pending(deployment), EXAMINED):
        record = deployment.call({"action": "get", "approval_id": each["approval_id"]})
        for taker in named.unknown(one["to"] for one in record.get("handed_over", ())):
            found.append(f"{each['approval_id']} was handed over to {taker}")
            fixes.append(
                deployment.command(
                    "reassign", each["approval_id"], "--from", taker, "--to", "COLLEAGUE",
                    "--as", "OPERATOR",
                )
            )  # fmt: skip
    if found:
        what = f"{'; '.join(found)}, whom the deployment does not name"
        fix = f"if that was not meant: {'; '.join(fixes[:NAMED])}"
        return "unknown", f"{what}; {named.in_words}", fix
    return "ok", f"requests wait for people whom the deployment names; {named.in_words}", ""


def messages(deployment: Deployment) -> Found:
    """Whether everybody was sent what the latest pending requests ask of them."""
    found, fixes, taken_up = [], [], 0
    examined = list(islice(_pending(deployment), EXAMINED))
    for each in examined:
        record = deployment.call({"action": "get", "approval_id": each["approval_id"]})
        failed = set()
        for sent in record.get("messages", ()):
            refused = sent["state"] == "open" and sent["reason"]
            if refused and not sent["attempts"]:  # due again, and not tried since
                taken_up += 1
            elif refused or sent["state"] in GIVEN_UP:
                why = sent["reason"] or "no answer"
                failed.add(f"{sent['recipient']} by {sent['channel']} ({why})")
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
    of = f"of {latest}{output.count(len(examined), 'pending request')}"
    if taken_up:
        return "ok", f"{output.count(taken_up, 'message')} taken up again, to be sent now, {of}", ""
    return "ok", f"all were sent, {of}", ""


def hand_over(deployment: Deployment, name: str) -> str:
    """What to do about what waits for somebody who has left."""
    return f"{deployment.command('stats', '--approver', name)} shows what to hand over"


def _pending(deployment: Deployment) -> Iterator[Mapping[str, Any]]:
    for page in deployment.pages("pending"):
        yield from page["approvals"]
