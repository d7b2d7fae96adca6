"""The messages that the local cloud keeps in place of sending them."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from hitl_approval_cli.local.mail import Mail

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _no_ses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "ministack.services.ses", raising=False)


def send(mail: Mail, *subjects: str) -> None:
    for subject in subjects:
        mail.add("email", ["ann@example.com"], subject, "body", AT)


def subjects(mail: Mail, after: int = 0) -> list[str]:
    return [message["subject"] for message in mail.after(after)]


def test_should_number_messages_as_they_are_sent() -> None:
    mail = Mail()
    send(mail, "one", "two")
    assert mail.after(1) == [
        {
            "number": 2,
            "sent_at": "2026-01-02T03:04:05.000+00:00",
            "channel": "email",
            "to": ["ann@example.com"],
            "subject": "two",
            "body": "body",
        }
    ]
    assert subjects(mail) == ["one", "two"]
    assert subjects(mail, 2) == []


def test_should_keep_the_newest_under_their_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Mail, "KEPT", 2)
    mail = Mail()
    send(mail, "one", "two", "three")
    assert subjects(mail) == ["two", "three"]
    assert subjects(mail, 2) == ["three"]


def test_should_go_on_where_it_was_after_a_restart() -> None:
    before = Mail()
    send(before, "one", "two")
    after = Mail()
    after.restore(None)
    assert subjects(after) == []
    after.restore(json.loads(json.dumps(before.get_state())))
    send(after, "three")
    assert [message["number"] for message in after.after(1)] == [2, 3]


def ses(monkeypatch: pytest.MonkeyPatch, *records: dict[str, Any]) -> None:
    stored = {("account", "region", "entries"): list(records), ("account", "region", "other"): [{}]}
    module = SimpleNamespace(_sent_emails=SimpleNamespace(to_dict=lambda: stored))
    monkeypatch.setitem(sys.modules, "ministack.services.ses", module)


def test_should_take_once_what_ses_has_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    first = {"MessageId": "1", "Timestamp": 10.0, "To": ["ann"], "Subject": "first"}
    second = {
        "MessageId": "2", "Timestamp": 9.0, "To": ["bob"], "CC": ["cid"], "BCC": ["dan"],
        "RenderedSubject": "second", "Subject": "{{name}}", "BodyHtml": "<p>", "BodyText": "text",
    }  # fmt: skip
    ses(monkeypatch, first, second)
    mail = Mail()
    earlier, later = mail.after(0)
    assert (earlier["subject"], later["subject"]) == ("second", "first")
    assert earlier["to"] == ["bob", "cid", "dan"]
    assert (earlier["body"], later["body"]) == ("text", "")
    assert earlier["channel"] == "ses"
    assert len(mail.after(0)) == 2

    again = Mail()
    again.restore(mail.get_state())
    assert subjects(again) == ["second", "first"]
