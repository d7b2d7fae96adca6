"""Slack on the local cloud: asked by the stream, decided by a signed click, resumed, rewritten."""

from __future__ import annotations

import http.client
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import urlencode, urlsplit

import pytest
from slack_sdk.signature import SignatureVerifier

from hitl_approval.contract import Output
from hitl_approval_cli.local import LocalCloud
from tests.deployed import eventually
from tests.fake_slack import SIGNING_SECRET, TEAM, TOKEN, FakeSlack, fake_slack

from .embedding import EmbeddingApp

APP = Path(__file__).parent / "apps" / "slack.py"


@pytest.fixture(scope="module")
def slack() -> Iterator[FakeSlack]:
    with fake_slack() as server:
        server.add_user("U1", "ann@example.com")
        server.add_user("U2", "eve@example.com")
        yield server


@pytest.fixture(scope="module")
def deployed(
    cloud: LocalCloud, slack: FakeSlack, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[EmbeddingApp]:
    made = EmbeddingApp.of(cloud, APP, "slack", tmp_path_factory.mktemp("slack"))
    with patch.dict(os.environ, cloud.environment()):
        secrets = made.deployment().client("secretsmanager")
    fields = json.dumps({"bot_token": TOKEN, "signing_secret": SIGNING_SECRET})
    secret = secrets.create_secret(Name="slack-app", SecretString=fields)
    made.deploy(SLACK_SECRET_ARN=secret["ARN"], SLACK_API=slack.url)
    yield made
    made.destroy()


def send(app: EmbeddingApp, user: str, payload: dict[str, Any], secret: str) -> tuple[int, Any]:
    """What Slack sends, signed with a secret."""
    cloud, page = urlsplit(app.cloud.endpoint_url or ""), app.deployment().output(Output.PAGE_URL)
    whole = {"user": {"id": user}, "team": {"id": TEAM}, **payload}
    body, at = urlencode({"payload": json.dumps(whole)}), str(int(time.time()))
    connection = http.client.HTTPConnection(cloud.hostname or "", cloud.port)
    headers = {
        "Host": urlsplit(page).netloc,
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Slack-Request-Timestamp": at,
        "X-Slack-Signature": SignatureVerifier(secret).generate_signature(timestamp=at, body=body)
        or "",
    }
    connection.request("POST", "/slack", body, headers)
    answer = connection.getresponse()
    said = answer.read().decode()
    connection.close()
    return answer.status, json.loads(said) if said else None


def button(slack: FakeSlack, channel: str, subject: str, label: str) -> dict[str, Any]:
    """A button of the message about this in a channel, once it is there."""

    def found() -> Any:
        for (place, _), message in list(slack.messages.items()):
            if place == channel and subject in message["text"]:
                for block in message["blocks"]:
                    if block["type"] == "actions":
                        for each in block["elements"]:
                            if each["text"]["text"] == label:
                                return each
        return None

    return dict(eventually(found, f"button {label} in {channel}"))


def test_should_ask_decide_resume_and_rewrite(deployed: EmbeddingApp, slack: FakeSlack) -> None:
    event = {
        "document_id": "doc-1",
        "document_name": "Refund 7781",
        "requester": "rita",
        "approvers": ["ann@example.com"],
    }
    started = deployed.deployment().submit(event)
    clicked = button(slack, "D1", "Refund 7781", "Approve")
    button(slack, "C0123ABCD", "Refund 7781", "Approve")
    click = {"type": "block_actions", "trigger_id": "t", "actions": [clicked]}

    status, _ = send(deployed, "U1", click, "another secret")
    assert status == 401
    status, _ = send(deployed, "U2", click, SIGNING_SECRET)
    assert status == 200
    assert "Not yours to decide" in json.dumps(slack.views[-1])
    status, _ = send(deployed, "U1", click, SIGNING_SECRET)
    assert status == 200
    values = {"comment": {"comment": {"value": "fine by me"}}}
    view = {**slack.views[-1], "state": {"values": values}}
    status, answer = send(deployed, "U1", {"type": "view_submission", "view": view}, SIGNING_SECRET)
    assert status == 200
    assert "Approved by ann@example.com" in json.dumps(answer)

    ended = deployed.result(started["execution_arn"])
    body = json.loads(ended["body"])
    assert (body["decision"], body["decided_by"]) == ("approved", "ann@example.com")
    eventually(
        lambda: all("Approved by ann" in json.dumps(m) for m in slack.messages.values()),
        "rewritten messages",
    )
    assert len(slack.messages) == 2
    history = deployed.deployment().call(
        {"action": "history", "approval_id": started["approval_id"]}
    )
    assert [event["identity"] for event in history["events"]][-1] == "slack"
