"""What only CloudFormation knows passes, or is refused in a sentence: never by a token's marker."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import CfnParameter, Duration, Fn, Stack

from hitl_approval_cdk import ApprovalPage, EmailApprover, HitlApproval, Network, Quorum
from hitl_approval_cdk.declaration import DECLARED
from tests.infra.synth import any_stack

MARKER = re.compile(r"Token\[|#\{|\d(\.\d+)?e\+\d")

KINDS: dict[str, Callable[[Stack], Any]] = {
    "text": lambda stack: CfnParameter(stack, "Text").value_as_string,
    "number": lambda stack: CfnParameter(stack, "Number", type="Number").value_as_number,
    "list": lambda stack: CfnParameter(stack, "List", type="CommaDelimitedList").value_as_list,
    "in a list": lambda stack: [CfnParameter(stack, "Part").value_as_string],
    "duration": lambda stack: Duration.seconds(
        CfnParameter(stack, "Seconds", type="Number").value_as_number
    ),
    "split": lambda stack: Fn.split(",", CfnParameter(stack, "Joined").value_as_string),
}
MADE: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "Quorum.at_least": ("number", lambda token: {"quorum": Quorum.at_least(token)}),
    "EmailApprover": (
        "text",
        lambda token: {"page": ApprovalPage(), "deliver_to": [EmailApprover(token)]},
    ),
    "EmailApprover.name": (
        "text",
        lambda token: {
            "page": ApprovalPage(),
            "deliver_to": [EmailApprover("ann@example.com", name=token)],
        },
    ),
    "ApprovalPage.url": ("text", lambda token: {"page": ApprovalPage(url=token)}),
    "ApprovalPage.burst": ("number", lambda token: {"page": ApprovalPage(burst=token)}),
    "ApprovalPage.sign_in_claim": (
        "text",
        lambda token: {"page": ApprovalPage(sign_in_claim=token)},
    ),
    "ApprovalPage.challenge": ("text", lambda token: {"page": ApprovalPage(challenge=token)}),
    "Network.vpc": ("text", lambda token: {"network": Network(vpc=token)}),
    "groups of a list": ("list", lambda token: {"groups": {"leads": token}}),
}


def refusal(make: Callable[[Stack], Any]) -> str:
    """What is said of it; nothing where it passes."""
    stack = any_stack()
    try:
        HitlApproval(stack, "Approval", **make(stack))
    except (ValueError, TypeError, RuntimeError) as error:
        return str(error)
    return ""


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", DECLARED)
def test_should_show_no_marker_for_an_option(name: str, kind: str) -> None:
    assert not MARKER.search(refusal(lambda stack: {name: KINDS[kind](stack)}))


@pytest.mark.parametrize("what", MADE)
def test_should_show_no_marker_for_a_part_of_an_option(what: str) -> None:
    kind, options = MADE[what]
    said = refusal(lambda stack: options(KINDS[kind](stack)))
    assert not MARKER.search(said)
    if what == "Quorum.at_least":
        assert said.startswith("quorum needs at least 1 approval, got a fraction or a token")
