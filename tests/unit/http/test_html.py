"""What the pages show of what others wrote: inert and whole."""

from __future__ import annotations

import re
from base64 import b64encode
from datetime import timedelta
from hashlib import sha256

import pytest

from hitl_approval.domain.organization import Organization
from hitl_approval.http import html
from hitl_approval.testing import World
from tests.anything import any_request
from tests.unit.http.by_link import APPROVERS, asked, call, send, token_of

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


def test_should_allow_pictures_in_the_page_and_no_more() -> None:
    for organization in (None, Organization("Nordwind", "#a8201a")):
        made = html.page("message.html", 200, organization=organization, title="Hm", hint="Why")
        policy = made["headers"]["Content-Security-Policy"].split("; ")
        assert "img-src data:" in policy
        assert "default-src 'none'" in policy
        [style] = re.findall(r"<style>(.*?)</style>", made["body"], re.DOTALL)
        digest = b64encode(sha256(style.encode()).digest()).decode()
        assert f"style-src 'sha256-{digest}'" in policy
        assert '<link rel="icon" href="data:image/svg+xml,' in made["body"]


def test_should_have_the_organization_s_color_in_light_and_in_dark() -> None:
    organization = Organization("Nordwind", "#a8201a")
    body = html.page("message.html", 200, organization=organization, title="Hm", hint="Why")["body"]
    assert ":root { --act: #a8201a; }" in body
    assert f"dark) {{ :root {{ --act: {organization.dark_color}; }} }}" in body
    assert "#a8201a" not in html.page("message.html", 200, title="Hm", hint="Why")["body"]


def test_should_name_the_organization_on_every_page_of_a_link(world: World) -> None:
    asked(world)
    for token in (token_of(world, "ann"), "unknown"):
        _, body = call(world, token, organization=Organization("N<b>rd"))
        assert "N&lt;b&gt;rd" in body
        assert "<b>rd" not in body
