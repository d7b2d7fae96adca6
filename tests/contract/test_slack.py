"""The Slack adapter against a server that answers as Slack does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta

import boto3
import pytest
from moto import mock_aws

from hitl_approval.adapters.secrets_manager import SecretsManagerSecret
from hitl_approval.adapters.slack import SlackWorkspace
from hitl_approval.domain.errors import Unanswered, Unavailable
from hitl_approval.testing.memory import FixedClock
from tests.fake_slack import SIGNING_SECRET, TEAM, TOKEN, FakeSlack, fake_slack

FIELDS = {"bot_token": TOKEN, "signing_secret": SIGNING_SECRET}
BLOCKS = [{"type": "header", "text": {"type": "plain_text", "text": "Утвердить"}}]


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    with fake_slack() as server:
        server.add_user("U1", "ann@example.com")
        yield server


@pytest.fixture
def secret() -> Iterator[SecretsManagerSecret]:
    with mock_aws():
        client = boto3.client("secretsmanager")
        arn = client.create_secret(Name="slack", SecretString=json.dumps(FIELDS))["ARN"]
        yield SecretsManagerSecret(client=client, arn=arn, clock=FixedClock())


@pytest.fixture
def workspace(slack: FakeSlack, secret: SecretsManagerSecret) -> SlackWorkspace:
    return SlackWorkspace(team_id=TEAM, secret=secret, api=slack.url)


def test_should_post_to_a_person_and_put_other_content_in_its_place(
    workspace: SlackWorkspace, slack: FakeSlack
) -> None:
    receipt = workspace.post_message(workspace.find_user("ann@example.com"), "Asked", BLOCKS)
    [message] = slack.messages.values()
    assert message == {"text": "Asked", "blocks": BLOCKS}
    for _ in range(2):
        workspace.update_message(receipt, "Ended", [])
    assert list(slack.messages.values()) == [{"text": "Ended", "blocks": []}]


def test_should_read_no_links_and_mentions_in_a_message(
    workspace: SlackWorkspace, slack: FakeSlack
) -> None:
    workspace.post_message("C1", "x", [])
    [(_, given)] = slack.calls
    assert (given["parse"], given["link_names"]) == ("none", "false")
    assert (given["unfurl_links"], given["unfurl_media"]) == ("false", "false")


def test_should_open_a_dialog(workspace: SlackWorkspace, slack: FakeSlack) -> None:
    workspace.open_view("trigger-1", {"type": "modal"})
    assert slack.views == [{"type": "modal"}]


@pytest.mark.parametrize(
    "change",
    [
        {"is_email_confirmed": False},
        {"is_email_confirmed": None},
        {"is_email_confirmed": "true"},
        {"team_id": "T9"},
        {"deleted": True},
        {"is_bot": True},
        {"is_stranger": True},
        {"profile": {}},
        {"profile": {"email": None}},
    ],
)
def test_should_vouch_for_nobody_but_a_confirmed_person_of_this_workspace(
    workspace: SlackWorkspace, slack: FakeSlack, change: dict[str, object]
) -> None:
    assert workspace.address_of("U1") == "ann@example.com"
    slack.add_user("U1", "ann@example.com", **change)
    assert workspace.address_of("U1") is None


@pytest.mark.parametrize("code", ["ratelimited", "invalid_auth", "channel_not_found"])
def test_should_name_what_slack_refuses(
    workspace: SlackWorkspace, slack: FakeSlack, code: str
) -> None:
    slack.answers["chat.postMessage"] = [code]
    with pytest.raises(Unavailable) as refused:
        workspace.post_message("C1", "x", [])
    assert not isinstance(refused.value, Unanswered)
    assert refused.value.details["reason"] == f"chat.postMessage: {code}"


@pytest.mark.parametrize(
    ("answer", "unanswered"), [(429, False), (302, False), (503, True), (None, True)]
)
def test_should_know_whether_slack_may_have_taken_a_call(
    workspace: SlackWorkspace, slack: FakeSlack, answer: int | None, *, unanswered: bool
) -> None:
    slack.answers["chat.postMessage"] = [answer]
    with pytest.raises(Unavailable) as refused:
        workspace.post_message("C1", "x", [])
    assert isinstance(refused.value, Unanswered) is unanswered
    assert len(slack.calls) == 1


def test_should_name_nobody_who_is_not_there(workspace: SlackWorkspace) -> None:
    with pytest.raises(Unavailable) as refused:
        workspace.find_user("eve@example.com")
    assert refused.value.details["reason"] == "users.lookupByEmail: users_not_found"


def test_should_keep_secrets_out_of_what_it_says(
    workspace: SlackWorkspace, slack: FakeSlack
) -> None:
    for answer in ("invalid_auth", 500, None):
        slack.answers["users.info"] = [answer]
        with pytest.raises(Unavailable) as refused:
            workspace.address_of("U1")
        assert TOKEN not in repr((refused.value, refused.value.details))
    assert SIGNING_SECRET not in repr(workspace)
    assert TOKEN not in repr(workspace)


def test_should_read_a_rotated_secret_after_a_while(secret: SecretsManagerSecret) -> None:
    assert secret.get("bot_token") == TOKEN
    rotated = json.dumps({**FIELDS, "bot_token": "new"})
    secret.client.put_secret_value(SecretId=secret.arn, SecretString=rotated)
    assert secret.get("bot_token") == TOKEN
    assert isinstance(secret.clock, FixedClock)
    secret.clock.advance(timedelta(minutes=6))
    assert secret.get("bot_token") == "new"


@pytest.mark.parametrize("text", ["", "xoxb-1", "[]", '{"bot_token": 1}', '{"bot_token": " "}'])
def test_should_name_a_secret_that_is_not_as_it_must_be(
    secret: SecretsManagerSecret, text: str
) -> None:
    secret.client.put_secret_value(SecretId=secret.arn, SecretString=text or " ")
    with pytest.raises(Unavailable) as refused:
        secret.get("bot_token")
    assert "the secret " in refused.value.details["reason"]
    secret.client.put_secret_value(SecretId=secret.arn, SecretString=json.dumps(FIELDS))
    assert secret.get("bot_token") == TOKEN


def test_should_say_that_a_secret_cannot_be_read(secret: SecretsManagerSecret) -> None:
    secret.client.delete_secret(SecretId=secret.arn, ForceDeleteWithoutRecovery=True)
    with pytest.raises(Unavailable):
        secret.get("bot_token")
