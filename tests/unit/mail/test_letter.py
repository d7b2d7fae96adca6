"""Mails as bytes. Threat: a name or a text of the requester's becomes a header, another recipient,
or something to click.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta, timezone
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hitl_approval.domain.errors import InvalidRequest
from hitl_approval.domain.reassign import reassign
from hitl_approval.domain.sender import Sender
from hitl_approval.mail.letter import MAX_SUBJECT, letter
from tests.anything import declared
from tests.unit.mail.mailed import (
    ANN,
    CID,
    ENTRY,
    LINK,
    SENDER,
    SOON,
    approved,
    asked,
    asking,
    each_kind,
    html_of,
    read,
    telling,
    text_of,
)

HEADERS = [
    "From", "To", "Reply-To", "Subject", "Date", "References", "In-Reply-To", "Auto-Submitted",
    "X-Auto-Response-Suppress", "MIME-Version", "Content-Type",
]  # fmt: skip
KINDS = each_kind()
SUBJECT = "Pay 70,000 EUR to Nordwind Logistics"
UNTIL = "Please answer by Friday 2 January 2026, 11:04 UTC (in 8 hours)."
HOSTILE = [
    "a\r\nBcc: eve@example.net",
    "a\nSubject: other",
    "=?utf-8?q?a=0D=0ABcc=3A_eve?=",
    "<script>alert(1)</script><img src=x>",
    "\u202egro.live",
    "{{ 7 * 7 }}{% raw %}",
    "\">' onmouseover=x",
    "--=_hitl-approval--",
    "\u2028Bcc: eve@example.net",
    "\u0420\u0443\u0431\u043b\u044c " * 60,
    "a" * 1_000,
    "\U0001f4b6" * 300,
]


@pytest.mark.parametrize("kind", list(KINDS))
def test_should_have_the_headers_of_an_automatic_mail_to_one_person(kind: str) -> None:
    mail = read(KINDS[kind])
    assert mail["From"] == "Approvals <approvals@example.org>"
    assert mail["To"] == KINDS[kind].address
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["X-Auto-Response-Suppress"] == "All"
    assert mail["Cc"] is mail["Bcc"] is None


def test_should_be_one_thread_for_each_approval() -> None:
    roots = {(mail["References"], mail["In-Reply-To"]) for mail in map(read, KINDS.values())}
    assert roots == {("<approval-1@example.org>",) * 2}


@pytest.mark.parametrize(
    ("kind", "subject"),
    [
        ("requested", "Approve: Pay 70,000 EUR to Nordwind Logistics"),
        ("reminder", "Reminder: Pay 70,000 EUR to Nordwind Logistics"),
        ("outcome", "Approved: Pay 70,000 EUR to Nordwind Logistics"),
        ("expired", "Expired: Pay 70,000 EUR to Nordwind Logistics"),
        ("withdrawn", "Withdrawn: Pay 70,000 EUR to Nordwind Logistics"),
    ],
)
def test_should_say_in_the_subject_what_it_is(kind: str, subject: str) -> None:
    assert read(KINDS[kind])["Subject"] == subject


@pytest.mark.parametrize(
    "subject",
    [
        "\u0423\u0442\u0432\u0435\u0440\u0434\u0438\u0442\u044c",
        "\u4e88\u7b97\u3092\u627f\u8a8d",
        "70 \u20ac f\u00fcr B\u00fccher",
        "\u0627\u0644\u0645\u064a\u0632\u0627\u0646\u064a\u0629",
    ],
)
def test_should_take_a_subject_in_any_script(subject: str) -> None:
    made = letter(asking(asked(subject=subject)), SENDER)
    assert made.isascii()
    assert read(asking(asked(subject=subject)))["Subject"] == f"Approve: {subject}"


def test_should_cut_a_subject_that_no_list_shows() -> None:
    subject = read(asking(asked(subject="n" * 1_000)))["Subject"]
    assert len(subject) == MAX_SUBJECT


@pytest.mark.parametrize(
    ("kind", "first"),
    [
        (
            "requested",
            f"rita@example.com asks you to approve: Pay 70,000 EUR to Nordwind Logistics. {UNTIL}",
        ),
        (
            "reminder",
            f"rita@example.com waits for your answer and asks you to approve: {SUBJECT}. {UNTIL}",
        ),
        ("outcome", "The request of rita@example.com was approved by bob@example.com."),
        ("outcome to who asks", "Your request was approved by bob@example.com."),
        (
            "expired",
            "The request of rita@example.com has expired: nobody decided in time.",
        ),
        (
            "withdrawn",
            "The request of rita@example.com has been withdrawn by rita@example.com.",
        ),
    ],
)
def test_should_say_first_who_asks_what_until_when(kind: str, first: str) -> None:
    mail = read(KINDS[kind])
    assert text_of(mail).splitlines()[0] == first
    assert f">{first}</h1>" in html_of(mail)


def test_should_say_until_when_in_the_readers_own_time() -> None:
    made = letter(KINDS["requested"], SENDER, zone=timezone(timedelta(hours=1), "CET"))
    assert b"12:04 CET (in 8 hours)" in made.replace(b"=\r\n", b"")


@pytest.mark.parametrize("kind", ["requested", "reminder"])
def test_should_lead_to_the_page_by_one_link_and_say_how_else_to_answer(kind: str) -> None:
    mail = read(KINDS[kind])
    assert links(html_of(mail)) == [LINK]
    assert re.findall(r"https?://\S+", text_of(mail)) == [LINK]
    for body in (text_of(mail), html_of(mail)):
        assert "hitl approve approval-1" in body
        assert "do not forward this mail" in body


def test_should_bring_who_asks_to_what_they_may_open() -> None:
    mail = read(KINDS["outcome to who asks"])
    assert links(html_of(mail)) == [ENTRY]
    assert ENTRY in text_of(mail)
    mail = read(KINDS["outcome"])
    assert links(html_of(mail)) == []
    for body in (text_of(mail), html_of(mail)):
        assert "hitl show approval-1" in body
        assert "There is nothing for you to do." in body


def test_should_also_offer_to_sign_in() -> None:
    mail = read(asking(asked(), entry=ENTRY))
    assert links(html_of(mail)) == [LINK, ENTRY]
    assert f"Or sign in to answer:\n{ENTRY}" in text_of(mail)


def test_should_say_the_same_as_text_and_as_html() -> None:
    for notification in KINDS.values():
        mail = read(notification)
        shown = re.sub(r"<head>.*</head>", "", html_of(mail), flags=re.DOTALL)
        words = set(re.findall(r"\w+", unescaped(shown)))
        text = text_of(mail).replace("To see it, sign in:", "")  # in HTML a button
        assert set(re.findall(r"\w+", text.replace(LINK, "").replace(ENTRY, ""))) <= words


def test_should_say_what_is_no_longer_asked_and_nothing_of_its_content() -> None:
    """Who is not asked any more was shown it when they were; it may have been changed since."""
    text = text_of(read(each_kind()["released"]))
    assert "Pay 70,000 EUR to Nordwind Logistics" in text
    assert "cid@example.com, bob@example.com may answer it now" in text
    assert "70,000.00 EUR" not in text
    assert "The page shows more" not in text


def test_should_bring_whose_place_it_is_and_who_has_approved_before() -> None:
    taken = reassign(asked(), declared(ANN), giver=ANN, to=CID, now=SOON).after
    text = text_of(read(asking(taken, recipient=CID)))
    assert "Instead of:\n    ann@example.com" in text
    assert "Instead of" not in text_of(read(asking(asked())))


def test_should_answer_to_who_asks() -> None:
    assert read(KINDS["requested"])["Reply-To"] == "rita@example.com"
    assert read(asking(asked(requester="nightly-job")))["Reply-To"] == "desk@example.org"
    assert read(KINDS["outcome to who asks"])["Reply-To"] == "desk@example.org"
    alone = Sender(address="approvals@example.org", name="Approvals")
    assert read(asking(asked(requester="nightly-job")), alone)["Reply-To"] is None


def test_should_show_no_picture_and_run_nothing() -> None:
    for notification in KINDS.values():
        html = html_of(read(notification))
        assert not re.search(r"<(img|script|iframe|form|input|link|object|svg)\b", html)
        assert "url(" not in html


def test_should_be_small() -> None:
    assert all(len(letter(notification, SENDER)) < 20_000 for notification in KINDS.values())


def test_should_be_the_same_bytes_each_time() -> None:
    assert letter(KINDS["requested"], SENDER) == letter(KINDS["requested"], SENDER)


@pytest.mark.parametrize("text", HOSTILE)
def test_should_keep_hostile_texts_out_of_headers_and_html(text: str) -> None:
    approval = asked()
    for hostile in (
        replace(approval, subject=text),
        replace(approval, requester=text[:320]),
        replace(approval, document_id=text),
    ):
        hold(asking(hostile))
        hold(telling(approved(replace(hostile, requester="rita"), comment=text)))


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300), st.dictionaries(st.text(max_size=30), st.text(max_size=60)))
def test_should_keep_any_text_out_of_headers_and_html(text: str, context: dict[str, str]) -> None:
    try:
        approval = asked(context=context)
    except InvalidRequest:  # what is no request is in no mail
        approval = asked()
    hold(asking(replace(approval, subject=text, requester=text)))


def hold(notification: Any) -> None:
    """One person is written to, by these headers, with these links."""
    mail = read(notification)
    assert [name for name in mail if name != "Reply-To"] == [
        name for name in HEADERS if name != "Reply-To"
    ]
    assert mail["To"] == ANN
    assert mail["From"] == "Approvals <approvals@example.org>"
    assert [part.get_content_type() for part in mail.walk()] == [
        "multipart/alternative", "text/plain", "text/html",
    ]  # fmt: skip
    html = html_of(mail)
    assert links(html) == ([LINK] if notification.link else [])
    assert tags(html) <= ALLOWED
    for value in mail.values():
        assert not re.search(r"[\r\n\u2028\u202e]", value)


ALLOWED = {
    "html", "head", "meta", "title", "style", "body", "div", "table", "tr", "td", "h1", "a", "br",
}  # fmt: skip


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.add(tag)
        self.links += [value for name, value in attrs if name in {"href", "src"}]
        assert not [name for name, _ in attrs if name.startswith("on")]

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def parsed(html: str) -> _Tags:
    found = _Tags()
    found.feed(html)
    return found


def tags(html: str) -> set[str]:
    return parsed(html).tags


def links(html: str) -> list[str]:
    return parsed(html).links


def unescaped(html: str) -> str:
    return " ".join(parsed(html).text)
