"""One request by SES on the local cloud: asked by mail, decided by its link, outcome by mail."""

from __future__ import annotations

import os
import re
from typing import Any
from unittest.mock import patch

import pytest

from hitl_approval.contract import Output
from hitl_approval_cli.commands.local.senders import verify_senders
from hitl_approval_cli.local import LocalCloud, sent_messages
from tests.deployed import Live, deploy_stack, eventually

from .test_page import fetch, nonce_of

SENDER = "approvals@example.com"
NEW = "first.named@example.com"
"""Whom no deployment has named."""


@pytest.fixture(scope="module")
def mailing(cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Live:
    assembly = tmp_path_factory.mktemp("mailing") / "cdk.out"
    live = deploy_stack(cloud, "Mailing", assembly, mail_sender=SENDER)
    verify_senders(cloud.environment(), ["Mailing"])
    return live


def mails(cloud: LocalCloud, to: str) -> list[dict[str, Any]]:
    found = sent_messages(cloud.environment(), 0)
    return [each for each in found if each["channel"] == "ses" and each["to"] == [to]]


def test_should_ask_decide_and_notify_by_mail(cloud: LocalCloud, mailing: Live) -> None:
    started = mailing.submit(
        document_name="\u0423\u0442\u0432\u0435\u0440\u0434\u0438\u0442\u044c", approvers=[NEW]
    )
    [mail] = eventually(lambda: mails(cloud, NEW), "mail")
    assert mail["subject"] == "Approve: \u0423\u0442\u0432\u0435\u0440\u0434\u0438\u0442\u044c"
    assert mail["body"].startswith("user@example.com asks you to approve: ")
    [link] = re.findall(r"https?://\S+/a/\S+", mail["body"])
    assert link.startswith(mailing.deployment.output(Output.PAGE_URL))
    assert link in mail["html"]

    _, page = fetch(mailing, link)
    assert mailing.events(started["approval_id"]) == ["requested"]
    form = {"nonce": nonce_of(page), "decision": "approved", "comments": "from a mail"}
    assert fetch(mailing, link, "POST", form)[0] == 200

    body = mailing.result(started["execution_arn"])
    assert (body["decision"], body["decided_by"]) == ("approved", NEW)
    [outcome] = eventually(lambda: mails(cloud, "user@example.com"), "mail of the outcome")
    assert outcome["subject"].startswith("Approved: ")
    assert f"Your request was approved by {NEW}." in outcome["body"]
    assert len(mails(cloud, NEW)) == 1
    with patch.dict(os.environ, cloud.environment()):
        shown = mailing.deployment.call({"action": "get", "approval_id": started["approval_id"]})
    by_mail = [m for m in shown["messages"] if m["channel"] == "ses"]
    assert {(m["recipient"], m["kind"], m["state"]) for m in by_mail} == {
        (NEW, "requested", "sent"), ("user@example.com", "outcome", "sent"),
    }  # fmt: skip


def test_should_let_doctor_see_that_the_sender_is_verified(mailing: Live) -> None:
    from hitl_approval_cli.mail_sender import problems_of

    assert list(problems_of(mailing.deployment, SENDER)) == []
    assert list(problems_of(mailing.deployment, "nobody@example.org"))
