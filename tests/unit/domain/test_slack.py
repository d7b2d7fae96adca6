"""Slack's messages: whole or without Approve, inert, and within what Block Kit takes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from hitl_approval.domain import slack
from hitl_approval.domain.approval import Approval
from hitl_approval.domain.audit import SYSTEM
from hitl_approval.domain.ending import cancel, expire
from hitl_approval.domain.errors import InvalidRequest
from hitl_approval.domain.policy import Policy
from hitl_approval.domain.slack import Subject, asking, dialog, ended, notice
from hitl_approval.domain.voting import cast_vote
from tests.anything import any_approval, any_request, declared

PAGE = "https://approvals.example.com/a/token"
LIMITS = {"header": 150, "section": 3_000, "button": 75, "title": 24, "submit": 24, "close": 24}
"""Of texts, as Slack's Block Kit reference has them."""
HOSTILE = (
    "<!channel> <@U123> <https://evil.example|click> *bold* _x_ `y` ~z~",
    "@here :tada: &lt;",
    "a\u202eb\u200b\u2066c",
)


def asked(**fields: Any) -> Approval:
    values = {"approvers": ("ann", "bob"), "subject": "Refund", **fields}
    return any_approval(request=any_request(**values))


def withdrawn(approval: Approval, comments: str) -> Approval:
    transition = cancel(approval, SYSTEM, comments, now=approval.created_at)
    assert transition is not None
    return transition.after


def texts(node: Any) -> Iterator[str]:
    """Every text that a reader sees."""
    if isinstance(node, Mapping):
        if node.get("type") in {"plain_text", "mrkdwn"}:
            yield node["text"]
        for inner in node.values():
            yield from texts(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from texts(inner)


def buttons(message: slack.SlackMessage) -> list[str]:
    [actions] = [block for block in message.blocks if block["type"] == "actions"]
    return [button["text"]["text"] for button in actions["elements"]]


def check_limits(view: Mapping[str, Any]) -> None:
    blocks = view["blocks"]
    assert 1 <= len(blocks) <= 50
    assert len(view.get("text", "")) <= 4_000
    assert len(view.get("private_metadata", "")) <= 3_000
    for place in ("title", "submit", "close"):
        if place in view:
            assert 1 <= len(view[place]["text"]) <= LIMITS[place]
    for block in blocks:
        if block["type"] in {"header", "section"}:
            assert 1 <= len(block["text"]["text"]) <= LIMITS[block["type"]]
        if block["type"] == "context":
            assert 1 <= len(block["elements"]) <= 10
        if block["type"] == "actions":
            assert 1 <= len(block["elements"]) <= 25
            for button in block["elements"]:
                assert len(button["text"]["text"]) <= LIMITS["button"]
                assert len(button.get("value", "")) <= 2_000
                assert len(button.get("url", "")) <= 3_000
                assert len(button["action_id"]) <= 255


def test_should_show_the_whole_request_in_the_requester_s_order_with_its_buttons() -> None:
    message = asking(asked(context={"zone": 1, "amount": 240, "who": {"iban": "DE1"}}), page=PAGE)
    said = "\n".join(texts(message.blocks))
    parts = ("rita", "zone: 1", "amount: 240", "who.iban: DE1")
    places = [said.index(part) for part in parts]
    assert places == sorted(places)
    assert buttons(message) == ["Approve", "Reject", "Ask", "Open the page"]


@pytest.mark.parametrize(
    "context",
    [
        {"sql": "SELECT 1;" + "-" * 7_000 + "DROP TABLE customers"},
        {"sql": "SELECT 1;" + "--\n" * 100 + "DROP TABLE customers"},
        {**{f"field{number}": number for number in range(300)}, "amount": 1_000_000},
        {"x" * 3_500: "long name"},
        {"deep": {"er": [{"x": "y" * 3_001}]}},
    ],
)
def test_should_offer_no_approve_on_what_is_not_shown_whole(context: dict[str, Any]) -> None:
    message = asking(asked(context=context), page=PAGE)
    assert buttons(message) == ["Reject", "Ask", "See all and decide"]
    assert "This is not all" in "\n".join(texts(message.blocks))
    without = asking(asked(context=context), page=None)
    assert buttons(without) == ["Reject", "Ask"]
    assert "hitl show" in "\n".join(texts(without.blocks))


@pytest.mark.parametrize("padding", [" " * 7_000, "\n" * 100])
def test_should_show_what_stands_behind_padding(padding: str) -> None:
    message = asking(asked(context={"sql": f"SELECT 1;{padding}DROP TABLE customers"}), page=PAGE)
    said = "\n".join(texts(message.blocks))
    assert "DROP TABLE customers" in said
    assert len(said) < 1_000
    assert buttons(message) == ["Approve", "Reject", "Ask", "Open the page"]


def test_should_leave_to_the_page_what_is_sensitive() -> None:
    approval = asked(context={"card": "4111", "amount": 1}, sensitive=["card"])
    message = asking(approval, page=PAGE)
    assert "4111" not in json.dumps(message.blocks)
    assert "card: (shown on the page)" in "\n".join(texts(message.blocks))
    assert buttons(message) == ["Reject", "Ask", "See all and decide"]


def test_should_never_let_slack_fold_what_is_to_be_decided() -> None:
    message = asking(asked(context={"sql": "x" * 2_900}), page=PAGE)
    [section] = [block for block in message.blocks if "x" * 2_900 in str(block)]
    assert section["expand"] is True


def test_should_keep_a_value_from_reading_as_another_field() -> None:
    message = asking(asked(context={"note": "ok\namount: 1", "amount": 900}), page=PAGE)
    lines = "\n".join(texts(message.blocks)).splitlines()
    assert "amount: 1" not in lines
    assert "amount: 900" in lines


@pytest.mark.parametrize("text", HOSTILE)
def test_should_read_no_mention_link_or_format_in_what_people_wrote(text: str) -> None:
    subject = text if text.isascii() else "Refund"
    approval = asked(subject=subject, context={text: text})
    over = withdrawn(approval, "because")
    for message in (asking(approval, page=PAGE), ended(over)):
        assert not {"<!channel>", "<@U123>", "<https"} & set(message.text.split())
        for block in message.blocks:
            for part in block.get("elements", [block.get("text")]):
                if part["type"] == "mrkdwn":
                    assert part["verbatim"] is True
                    assert "rita" not in part["text"]
                    assert not any(hostile in part["text"] for hostile in HOSTILE)
        assert not any(c in said for said in texts(message.blocks) for c in "\u202e\u200b\u2066")


def test_should_show_the_expiry_in_the_reader_s_own_zone() -> None:
    approval = asked()
    at = int(approval.expires_at.timestamp())
    assert any(f"<!date^{at}^" in said for said in texts(asking(approval, page=PAGE).blocks))


def test_should_offer_no_button_on_a_request_that_names_nobody() -> None:
    message = asking(any_approval(request=any_request()), page=PAGE)
    assert buttons(message) == ["Open the page"]
    assert not any(b["type"] == "actions" for b in asking(any_approval(), page=None).blocks)


def test_should_say_how_it_ended_and_offer_nothing() -> None:
    approval, now = asked(), asked().created_at + timedelta(minutes=1)
    voted = cast_vote(approval, declared("ann"), "approved", "fine by me", now=now)
    assert voted is not None
    late = expire(approval, now=approval.expires_at)
    assert late is not None
    gone = cancel(approval, declared("rita"), "no longer needed", now=now)
    assert gone is not None
    for transition, said in (
        (voted, "Approved by ann"),
        (late, "Timed out: nobody decided in time"),
        (gone, "Withdrawn by rita"),
    ):
        message = ended(transition.after)
        assert said in message.text
        assert any(said in text for text in texts(message.blocks))
        assert not any(block["type"] == "actions" for block in message.blocks)
    assert any("fine by me" in text for text in texts(ended(voted.after).blocks))
    assert any(
        "your request" in text for text in texts(ended(voted.after, to_requester=True).blocks)
    )


def test_should_demand_a_comment_where_the_policy_does() -> None:
    approval = any_approval(policy=Policy(require_comment_on_rejection=True))
    for decision, optional in (("approved", True), ("rejected", False)):
        subject = Subject(approval.approval_id, approval.content_digest, decision)  # type: ignore[arg-type]
        [field] = [b for b in dialog(approval, subject)["blocks"] if b["type"] == "input"]
        assert field["optional"] is optional


def test_should_bring_back_what_a_button_is_about() -> None:
    approval = asked()
    [actions] = [b for b in asking(approval, page=PAGE).blocks if b["type"] == "actions"]
    approve, reject, ask, _ = actions["elements"]
    for button, step in ((approve, "approved"), (reject, "rejected"), (ask, "question")):
        subject = Subject.from_json(button["value"])
        assert subject == Subject(approval.approval_id, approval.content_digest, step)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", ["", "[]", "null", '["a", "b", "maybe"]', '["a", 1, "approved"]'])
def test_should_refuse_a_button_s_value_that_is_none_of_ours(value: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  of JSON's own, too
        Subject.from_json(value)


@given(
    subject=st.text(min_size=1, max_size=1_000),
    context=st.dictionaries(st.text(max_size=400), st.text(max_size=4_000), max_size=8),
    comments=st.text(max_size=2_000),
)
def test_should_stay_within_block_kit_s_limits(
    subject: str, context: dict[str, str], comments: str
) -> None:
    try:
        request = any_request(subject=subject, context=context, approvers=("ann",))
    except InvalidRequest:
        reject()
    approval = any_approval(request=request)
    over = withdrawn(approval, comments)
    clicked = Subject(approval.approval_id, approval.content_digest, "approved")
    for message in (asking(approval, page=PAGE), asking(approval, page=None), ended(over)):
        check_limits({"text": message.text, "blocks": message.blocks})
        json.dumps(message.blocks)
    check_limits(dialog(approval, clicked))
    check_limits(notice("Not accepted", comments or "x"))
