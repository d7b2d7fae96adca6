"""A Slack workspace in memory, and people there who click and send dialogs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from slack_sdk.signature import SignatureVerifier

from hitl_approval.domain.errors import Unavailable
from hitl_approval.domain.slack import APPROVE, ASK, COMMENT, DECIDE, REJECT, Step, Subject
from hitl_approval.http.slack import handle
from hitl_approval.testing import World

TEAM, SECRET = "T0123ABCD", "a-signing-secret"
ADDRESSES = {"U1": "ann@example.com", "U2": "bob@example.com", "U3": "rita@example.com"}
APPROVERS = ("ann@example.com", "bob@example.com")


@dataclass(slots=True)
class FakeWorkspace:
    """What the app sees of a workspace."""

    team_id: str = TEAM
    addresses: dict[str, str | None] = field(default_factory=lambda: dict(ADDRESSES))
    views: list[Mapping[str, Any]] = field(default_factory=list)
    refuses: bool = False

    def signing_secret(self) -> str:
        return SECRET

    def address_of(self, user_id: str) -> str | None:
        if self.refuses:
            raise Unavailable("Slack did not answer")
        return self.addresses.get(user_id)

    def open_view(self, trigger_id: str, view: Mapping[str, Any]) -> None:
        assert trigger_id == "trigger-1"
        self.views.append(view)


@dataclass(slots=True)
class Person:
    """Somebody in Slack."""

    world: World
    workspace: FakeWorkspace
    user: str = "U1"

    def click(self, value: str, action: str = APPROVE, **payload: Any) -> dict[str, Any]:
        """Click a button; the view that opens is the workspace's last."""
        return self.send(
            {
                "type": "block_actions",
                "trigger_id": "trigger-1",
                "actions": [{"action_id": action, "value": value}],
                **payload,
            }
        )

    def open(self, approval_id: str, step: Step = "approved") -> Mapping[str, Any]:
        """Click a button of a request's message; the view that opens."""
        digest = self.world.store.approvals[approval_id].content_digest
        action = {"approved": APPROVE, "rejected": REJECT, "question": ASK}[step]
        answer = self.click(Subject(approval_id, digest, step).to_json(), action)
        assert (answer["statusCode"], answer["body"]) == (200, "")
        return self.workspace.views[-1]

    def submit(
        self, view: Mapping[str, Any], comments: str | None = None, **filled: Any
    ) -> dict[str, Any]:
        """Send a dialog; what Slack is to do then.

        Fields are filled in by their labels, as Slack brings each element; the others come as they
        stood in the view.
        """
        values: dict[str, Any] = {
            block["block_id"]: {"value": filled.get(block["label"]["text"], as_it_stood(block))}
            for block in view.get("blocks", ())
            if block["type"] == "input"
        }
        values[COMMENT] = {COMMENT: {"type": "plain_text_input", "value": comments}}
        answer = self.send(
            {
                "type": "view_submission",
                "view": {
                    "callback_id": view.get("callback_id", DECIDE),
                    "private_metadata": view["private_metadata"],
                    "state": {"values": values},
                },
            }
        )
        assert answer["statusCode"] == 200
        return dict(json.loads(answer["body"]))

    def send(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """What Slack sends of this person, as it signs it."""
        who = {"id": self.user, "team_id": self.workspace.team_id}
        whole = {"user": who, "team": {"id": self.workspace.team_id}, **payload}
        return call(self.world, self.workspace, signed(self.world, json.dumps(whole)))


def as_it_stood(block: Mapping[str, Any]) -> dict[str, Any]:
    """What Slack brings of an element that nobody has touched."""
    element = block["element"]
    initial = {name: value for name, value in element.items() if name.startswith("initial_")}
    [(name, value)] = initial.items() or [("initial_value", None)]
    key = {"initial_value": "value"}.get(name, name.replace("initial_", "selected_"))
    return {"type": element["type"], key: value}


def signed(world: World, payload: str, *, secret: str = SECRET, age: int = 0) -> dict[str, Any]:
    """An event of the HTTP API with what Slack's own library makes of a payload."""
    body = urlencode({"payload": payload})
    at = str(int(world.clock.now().timestamp()) - age)
    signature = SignatureVerifier(secret).generate_signature(timestamp=at, body=body)
    return {
        "headers": {"x-slack-request-timestamp": at, "x-slack-signature": signature},
        "body": body,
        "isBase64Encoded": False,
    }


def call(world: World, workspace: FakeWorkspace, event: Mapping[str, Any]) -> dict[str, Any]:
    return handle(event, lambda: world.decisions, lambda: workspace)
