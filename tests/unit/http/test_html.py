"""What the pages show of what others wrote: inert, whole or said to be cut."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from hitl_approval.domain.link import make_challenge
from hitl_approval.http.link_page import handle
from hitl_approval.testing import World, in_memory
from hitl_approval.testing.memory import CountingSecrets
from tests.anything import any_opening, any_request

APPROVERS = ("ann", "bob")


@pytest.fixture
def world() -> World:
    return in_memory()


def asked(world: World, *, challenge: bool = False, **fields: Any) -> str:
    """A request whose approvers were sent their links."""
    request = fields.pop("request", None) or any_request(approvers=APPROVERS)
    if challenge:
        fields["challenge"] = make_challenge(CountingSecrets().draw())
    approval_id = world.store.create(
        any_opening(now=world.clock.now(), request=request, **fields)
    ).approval_id
    world.requests.notify(approval_id)
    deliver(world, approval_id)
    return approval_id


def deliver(world: World, approval_id: str) -> None:
    events = world.store.history(approval_id)
    assert world.delivery.take(events) == len(events)


def token_of(world: World, approver: str) -> str:
    """From the newest message to this approver."""
    message = [m for m in world.notifier.sent if m.recipient == approver][-1]
    [token] = re.findall(r"https://approvals\.example\.com/a/(\S+)", message.body)
    return str(token)


def call(
    world: World,
    token: str,
    method: str = "GET",
    form: dict[str, str] | None = None,
    **headers: str,
) -> tuple[int, str]:
    event = {
        "requestContext": {"http": {"method": method}, "domainName": "page.example"},
        "pathParameters": {"token": token},
        "headers": {"content-type": "application/x-www-form-urlencoded"}
        | {name.replace("_", "-"): value for name, value in headers.items()},
        "body": urlencode(form or {}),
    }
    answer = handle(event, lambda: world.decisions)
    assert answer["headers"]["Cache-Control"] == "no-store"
    assert answer["headers"]["Referrer-Policy"] == "no-referrer"
    assert "default-src 'none'" in answer["headers"]["Content-Security-Policy"]
    return answer["statusCode"], answer["body"]


def nonce_of(page: str) -> str:
    [nonce] = re.findall(r'name="nonce" value="([0-9a-f]{64})"', page)
    return str(nonce)


def send(
    world: World, token: str, decision: str, comments: str = "", **more: str
) -> tuple[int, str]:
    _, page = call(world, token)
    form = {"nonce": nonce_of(page), "decision": decision, "comments": comments, **more}
    return call(world, token, "POST", form)


HOSTILE = '<script>alert(1)</script>\u202e\' onload=x & "q"'


def test_should_show_hostile_content_inert(world: World) -> None:
    request = any_request(
        subject="<b>bold</b> & 🚀",
        requester="<i>rita</i>",
        approvers=APPROVERS,
        context={HOSTILE: HOSTILE, "deep": [{"x": [[[[[[[[HOSTILE]]]]]]]]}]},
    )
    asked(world, request=request)
    _, page = call(world, token_of(world, "ann"))
    assert "<script" not in page
    assert "<b>bold" not in page
    assert "<i>" not in page
    assert "\u202e" not in page
    assert "&lt;b&gt;bold&lt;/b&gt; &amp; 🚀" in page


def test_should_cut_what_nobody_reads(world: World) -> None:
    context = {f"k{n}": n for n in range(10_000)}
    asked(world, request=any_request(approvers=APPROVERS, context=context))
    _, page = call(world, token_of(world, "ann"))
    assert "9700 more fields are on record" in page
    assert len(page) < 100_000


def test_should_say_how_much_of_a_value_is_not_shown(world: World) -> None:
    context = {"long": "x" * 2_345, "whole": "y" * 2_000}
    asked(world, request=any_request(approvers=APPROVERS, context=context))
    _, page = call(world, token_of(world, "ann"))
    assert "x... 345 more characters are on record" in page
    assert f"{'y' * 2_000}</span>" in page


def test_should_show_line_ends_of_any_system_as_line_ends(world: World) -> None:
    context = {"lines": "one\r\ntwo\nthree\rfour"}
    asked(world, request=any_request(approvers=APPROVERS, context=context))
    _, page = call(world, token_of(world, "ann"))
    assert "one\ntwo\nthree\\u000dfour" in page


def test_should_show_the_lines_of_a_comment_as_lines(world: World) -> None:
    asked(world)
    send(world, token_of(world, "bob"), "rejected", "too dear\r\nask again")
    _, page = call(world, token_of(world, "ann"))
    assert '<div class="said" dir="auto">too dear\nask again</div>' in page


@pytest.mark.parametrize(
    ("left", "said"),
    [
        (timedelta(seconds=59), "less than a minute"),
        (timedelta(minutes=1), "1 minute"),
        (timedelta(hours=2, minutes=5), "2 hours 5 minutes"),
        (timedelta(days=3, minutes=5), "3 days 5 minutes"),
    ],
)
def test_should_say_how_much_time_is_left_in_words(left: timedelta, said: str) -> None:
    from hitl_approval.http.html import in_words

    assert in_words(left) == said
