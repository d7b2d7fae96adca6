"""The Slack adapter against a server that answers as Slack does."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from hitl_approval.adapters.secrets_manager import SecretsManagerSecret
from hitl_approval.adapters.slack import SlackNotifier, SlackWorkspace
from hitl_approval.domain.audit import Actor
from hitl_approval.domain.delivery import Address, Directory
from hitl_approval.domain.errors import Unanswered, Unavailable, Undeliverable
from hitl_approval.domain.slack import SlackMessage
from hitl_approval.http.slack import handle
from hitl_approval.testing import in_memory
from hitl_approval.testing.memory import FixedClock
from tests.anything import any_opening, any_request
from tests.fake_slack import SIGNING_SECRET, TEAM, TOKEN, FakeSlack, fake_slack
from tests.unit.http.by_slack import signed

FIELDS = {"bot_token": TOKEN, "signing_secret": SIGNING_SECRET}
BLOCKS = [{"type": "header", "text": {"type": "plain_text", "text": "Утвердить"}}]
ASKED = SlackMessage("Asked", BLOCKS)


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
    receipt = workspace.post_message(workspace.find_user("ann@example.com"), ASKED)
    [message] = slack.messages.values()
    assert message == {"text": "Asked", "blocks": BLOCKS}
    for _ in range(2):
        workspace.update_message(receipt, SlackMessage("Ended", []))
    assert list(slack.messages.values()) == [{"text": "Ended", "blocks": []}]


def test_should_read_no_links_and_mentions_in_a_message(
    workspace: SlackWorkspace, slack: FakeSlack
) -> None:
    workspace.post_message("C1", ASKED)
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
        workspace.post_message("C1", ASKED)
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
        workspace.post_message("C1", ASKED)
    assert isinstance(refused.value, Unanswered) is unanswered
    assert len(slack.calls) == 1


def test_should_name_nobody_who_is_not_there(workspace: SlackWorkspace) -> None:
    with pytest.raises(Undeliverable, match="nobody in this Slack workspace has this address"):
        workspace.find_user("eve@example.com")


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


# The whole way: asked by the outbox, decided by a click, rewritten at the end


class Team:
    """A deployment in memory that asks in this workspace."""

    def __init__(self, workspace: SlackWorkspace, slack: FakeSlack) -> None:
        self.world = in_memory()
        self.slack, self.workspace = slack, workspace
        self.delivery = replace(
            self.world.delivery,
            notifiers={
                "sns": self.world.notifier,
                "slack": SlackNotifier(workspace=workspace),
            },
            inbox_url="https://page",
            directory=Directory(slack=True, audiences={"channel C1": Address("slack", "C1")}),
        )

    def ask(
        self, *, approvers: Sequence[str] = ("ann@example.com", "bob@example.com"), **fields: Any
    ) -> str:
        request = any_request(approvers=approvers)
        opening = any_opening(now=self.world.clock.now(), request=request, **fields)
        approval_id = self.world.store.create(opening).approval_id
        self.deliver(approval_id)
        return approval_id

    def deliver(self, approval_id: str) -> None:
        events = self.world.store.history(approval_id)
        assert self.delivery.take(events) == len(events)

    def send(self, user: str, payload: dict[str, Any]) -> dict[str, Any]:
        whole = {"user": {"id": user}, "team": {"id": TEAM}, **payload}
        event = signed(self.world, json.dumps(whole), secret=SIGNING_SECRET)
        answer = handle(event, lambda: self.world.decisions, lambda: self.workspace)
        assert answer["statusCode"] == 200
        return dict(json.loads(answer["body"] or "{}"))

    def click(self, user: str, channel: str, label: str) -> dict[str, Any]:
        """Click a button of the newest message in a channel, and send the dialog that opens."""
        message = [m for (place, _), m in self.slack.messages.items() if place == channel][-1]
        button = buttons(message)[label]
        self.send(user, {"type": "block_actions", "trigger_id": "t", "actions": [button]})
        view = self.slack.views[-1]
        if "private_metadata" not in view:
            return view
        values = {"comment": {"comment": {"value": "seen"}}}
        return self.send(
            user, {"type": "view_submission", "view": {**view, "state": {"values": values}}}
        )


def buttons(message: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        button["text"]["text"]: button
        for block in message["blocks"]
        if block["type"] == "actions"
        for button in block["elements"]
    }


@pytest.fixture
def team(workspace: SlackWorkspace, slack: FakeSlack) -> Team:
    slack.add_user("U2", "bob@example.com")
    slack.add_user("U3", "eve@example.com")
    return Team(workspace, slack)


def test_should_ask_each_approver_and_the_channel_once(team: Team, slack: FakeSlack) -> None:
    approval_id = team.ask()
    for _ in range(3):
        team.deliver(approval_id)
        team.delivery.deliver_due()
    assert sorted(place for place, _ in slack.messages) == ["C1", "D1", "D2"]
    links = {place: buttons(m)["Open the page"]["url"] for (place, _), m in slack.messages.items()}
    assert links["C1"] == f"https://page/approvals/{approval_id}"
    assert len({*links.values()}) == 3
    assert all("/a/" in links[place] for place in ("D1", "D2"))


@pytest.mark.parametrize("channel", ["D1", "C1"])
def test_should_decide_and_rewrite_every_message(
    team: Team, slack: FakeSlack, channel: str
) -> None:
    approval_id = team.ask()
    assert "On record" in json.dumps(team.click("U1", channel, "Approve"))
    assert team.world.store.approvals[approval_id].status == "approved"
    before = len(slack.calls)
    for _ in range(3):
        team.deliver(approval_id)
        team.delivery.deliver_due()
    assert [method for method, _ in slack.calls[before:]] == ["chat.update"] * 3
    assert len(slack.messages) == 3
    for message in slack.messages.values():
        assert "Approved by ann@example.com" in json.dumps(message)
        assert not buttons(message)


def test_should_tell_others_in_the_channel_that_it_is_not_theirs(team: Team) -> None:
    approval_id = team.ask()
    assert "Not yours to decide" in json.dumps(team.click("U3", "C1", "Approve"))
    assert team.world.store.approvals[approval_id].pending


def test_should_rewrite_also_where_nobody_is_sent_how_requests_end(
    team: Team, slack: FakeSlack
) -> None:
    team.delivery = replace(team.delivery, without=frozenset({"outcome"}))
    approval_id = team.ask()
    team.click("U1", "D1", "Reject")
    team.deliver(approval_id)
    assert all("Rejected by" in json.dumps(m) for m in slack.messages.values())
    assert not [m for m in team.world.notifier.sent if m.kind == "outcome"]


def test_should_rewrite_a_reminder_too(team: Team, slack: FakeSlack) -> None:
    approval_id = team.ask(reminders=(timedelta(minutes=30),))
    team.world.clock.advance(timedelta(minutes=31))
    team.delivery.deliver_due()
    assert sorted(place for place, _ in slack.messages) == ["C1", "D1", "D1", "D2", "D2"]
    team.world.decisions.decide(approval_id, Actor("bob@example.com", "jwt"), "approved")
    team.deliver(approval_id)
    assert not any(buttons(message) for message in slack.messages.values())


def test_should_rewrite_nothing_for_good_that_somebody_has_deleted(
    team: Team, slack: FakeSlack
) -> None:
    approval_id = team.ask()
    del slack.messages[next(place for place in slack.messages if place[0] == "C1")]
    team.world.decisions.decide(approval_id, Actor("bob@example.com", "jwt"), "approved")
    team.deliver(approval_id)
    states = {
        m.recipient: m.state
        for m in team.world.messages.about(approval_id)
        if m.kind == "outcome" and m.channel == "slack"
    }
    assert states == {"ann@example.com": "sent", "bob@example.com": "sent", "channel C1": "failed"}


def test_should_delay_and_repeat_no_other_message_when_slack_refuses(
    team: Team, slack: FakeSlack
) -> None:
    slack.answers["chat.postMessage"] = ["ratelimited", 503, "invalid_auth"]
    approval_id = team.ask()
    assert {m.recipient for m in team.world.notifier.sent} == {"ann@example.com", "bob@example.com"}
    assert not slack.messages
    for _ in range(8):
        team.world.clock.advance(timedelta(minutes=2))
        team.delivery.deliver_due()
    assert sorted(place for place, _ in slack.messages) == ["C1", "D1", "D2"]
    assert len(team.world.notifier.sent) == 2
    assert approval_id


def test_should_say_who_is_not_in_slack(team: Team, slack: FakeSlack) -> None:
    approval_id = team.ask(approvers=("nobody@example.com",))
    failed = [m for m in team.world.messages.about(approval_id) if m.state == "failed"]
    assert [(m.recipient, m.reason) for m in failed] == [
        ("nobody@example.com", "nobody in this Slack workspace has this address")
    ]
    assert [place for place, _ in slack.messages] == ["C1"]


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


# Questions and answers


def test_should_bring_questions_and_answers_below_the_request_and_leave_them_at_its_end(
    team: Team, slack: FakeSlack
) -> None:
    slack.add_user("U4", "rita@example.com")
    request = any_request(approvers=("ann@example.com",), requester="rita@example.com")
    opening = any_opening(now=team.world.clock.now(), request=request)
    approval_id = team.world.store.create(opening).approval_id
    team.deliver(approval_id)
    assert "Your question is on record" in json.dumps(team.click("U1", "D1", "Ask"))
    for _ in range(2):
        team.deliver(approval_id)
    team.world.decisions.comment(approval_id, Actor("rita@example.com", "jwt"), "yes", answers=2)
    for _ in range(2):
        team.deliver(approval_id)
    placed = [(place, "below" in message) for (place, _), message in slack.messages.items()]
    assert placed == [
        ("D1", False), ("C1", False), ("D4", False), ("C1", True), ("D1", True), ("C1", True),
    ]  # fmt: skip
    [_, _, question, _, answer, _] = slack.messages.values()
    assert "ann@example.com asked: seen" in json.dumps(question)
    assert "/a/" in buttons(question)["Answer"]["url"]
    assert "rita@example.com answered: yes" in json.dumps(answer)
    requested = next(ts for place, ts in slack.messages if place == "D1")
    assert answer["below"] == requested
    team.world.decisions.decide(approval_id, Actor("ann@example.com", "jwt"), "approved")
    team.deliver(approval_id)
    assert "rita@example.com answered: yes" in json.dumps([*slack.messages.values()][4])
    assert "Approved by" in json.dumps(next(iter(slack.messages.values())))
