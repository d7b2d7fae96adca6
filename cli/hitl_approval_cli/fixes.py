"""What `hitl doctor --fix` can fix safely: each is a command that may be given twice.

Nothing here decides, asks anybody anew, or changes what somebody brought along.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from hitl_approval.contract import APPROVER_ATTRIBUTE, Output
from hitl_approval.domain.message import GIVEN_UP
from hitl_approval_cli import output
from hitl_approval_cli.deployment import Deployment
from hitl_approval_cli.errors import CliError
from hitl_approval_cli.personal_addresses import read_addresses
from hitl_approval_cli.records import Records

EXAMINED: Final = 100
"""Pending requests whose messages are read, one call each: about ten seconds."""


@dataclass(frozen=True, slots=True)
class Fix:
    """One thing that can be fixed.

    Attributes:
        check: the check that it is about.
        question: what is done, to be asked before.
        steps: what is done to what: its name, and the call that does it.
    """

    check: str
    question: str
    steps: Sequence[tuple[str, Callable[[], object]]]

    def apply(self) -> Iterator[Fixed]:
        """Do every step, whatever becomes of another."""
        for what, act in self.steps:
            try:
                act()
            except CliError as error:
                yield Fixed(self.check, what, done=False, why=str(error))
            else:
                yield Fixed(self.check, what, done=True)


@dataclass(frozen=True, slots=True)
class Fixed:
    """What became of one step.

    Attributes:
        check: the check that it is about.
        what: was done, or was not.
        done: whether it was.
        why: it was not; empty where it was.
    """

    check: str
    what: str
    done: bool
    why: str = ""


def find_fixes(deployment: Deployment, wrong: Mapping[str, Sequence[str]]) -> Iterator[Fix]:
    """What can be fixed of what is wrong.

    Args:
        deployment: whose.
        wrong: each check that is wrong -> the ids that it is about, as far as it is about some.

    Raises:
        CliError: what is wrong cannot be read with these credentials.
    """
    tried = set()
    for check, find in _FIXES.items():
        if check in wrong and find not in tried:
            tried.add(find)
            fix = find(deployment, check, wrong[check])
            if fix.steps:
                yield fix


def _sweep(deployment: Deployment, check: str, _: Sequence[str]) -> Fix:
    """Closes what is overdue, as the next sweep would: it has its own rules."""
    name = deployment.output(Output.SWEEP_FUNCTION_NAME)

    def run() -> None:
        with deployment.errors():
            deployment.client("lambda").invoke(FunctionName=name, InvocationType="Event")

    return Fix(check, "Let the sweep run now?", [(f"started {name}", run)])


def _resume(deployment: Deployment, check: str, ids: Sequence[str]) -> Fix:
    return Fix(
        check,
        f"Resume the workflow of {output.count(len(ids), 'decision')} again?",
        [_about(deployment, "resume", each, f"resumed {each}") for each in ids],
    )


def _take_up(deployment: Deployment, check: str, _: Sequence[str]) -> Fix:
    parked = [one.approval_id for one in Records(deployment).postponed() if one.until is None]
    return Fix(
        check,
        f"Take up {output.count(len(parked), 'parked record')} again?",
        [_about(deployment, "repair", each, f"took up {each}") for each in parked],
    )


def _send_again(deployment: Deployment, check: str, _: Sequence[str]) -> Fix:
    """Messages that were given up, of requests that are still pending."""
    ids = (
        item["approval_id"] for page in deployment.pages("pending") for item in page["approvals"]
    )
    found = [each for each in islice(ids, EXAMINED) if _given_up(deployment, each)]
    return Fix(
        check,
        f"Send the messages of {output.count(len(found), 'request')} again that were given up?",
        [_about(deployment, "repair", each, f"took up the messages of {each}") for each in found],
    )


def _given_up(deployment: Deployment, approval_id: str) -> bool:
    record = deployment.call({"action": "get", "approval_id": approval_id})
    return any(message["state"] in GIVEN_UP for message in record.get("messages", ()))


def _confirm_again(deployment: Deployment, check: str, _: Sequence[str]) -> Fix:
    """Have AWS send its mail again to who has not confirmed; who is gone needs a deployment."""
    topic = deployment.find_output(Output.PERSONAL_TOPIC_ARN) or ""
    waiting = [
        each
        for each in (read_addresses(deployment, topic) if topic else ())
        # Without the names nothing says whose messages it may get: it would get everybody's.
        if each.state == "waiting for confirmation" and each.names and "@" in each.endpoint
    ]
    return Fix(
        check,
        f"Have AWS send its mail again to {output.count(len(waiting), 'address')}?",
        [
            (
                f"had AWS send its mail to {each.endpoint} again",
                _subscribing(deployment, topic, each.endpoint, each.names),
            )
            for each in waiting
        ],
    )


def _subscribing(
    deployment: Deployment, topic: str, address: str, names: Sequence[str]
) -> Callable[[], object]:
    def subscribe() -> None:
        with deployment.errors():
            deployment.client("sns").subscribe(
                TopicArn=topic,
                Protocol="email",
                Endpoint=address,
                Attributes={"FilterPolicy": json.dumps({APPROVER_ATTRIBUTE: list(names)})},
            )

    return subscribe


def _about(
    deployment: Deployment, action: str, approval_id: str, what: str
) -> tuple[str, Callable[[], object]]:
    payload: dict[str, Any] = {"action": action, "approval_id": approval_id}
    return what, lambda: deployment.call(payload)


_FIXES: Final[Mapping[str, Callable[[Deployment, str, Sequence[str]], Fix]]] = {
    "personal addresses": _confirm_again,
    "overdue": _sweep,
    "not resumed": _resume,
    "parked": _take_up,
    "notifications": _send_again,
    "messages": _send_again,
}
"""Check -> what fixes it."""
