"""What `docs/slack.md` shows is what Slack is sent."""

from __future__ import annotations

from tests.docs import slack_messages


def test_should_show_what_is_sent() -> None:
    assert slack_messages.FILE.read_text(encoding="utf-8") == slack_messages.page(), "make docs"
