"""Addresses are links that say where they lead, and nothing else is one."""

from __future__ import annotations

import re
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hitl_approval.http.values import diff_lines, linked

OPENING = r'<a href="(https://[^"<>]*)" rel="noreferrer noopener" target="_blank">'


@pytest.mark.parametrize(
    ("text", "address", "host"),
    [
        ("see https://example.com/a?b=c&d=1.", "https://example.com/a?b=c&d=1", "example.com"),
        ("(https://example.com)", "https://example.com", "example.com"),
        ("https://Example.COM:8443/x", "https://example.com:8443/x", "example.com:8443"),
        ("https://ex\u0430mple.com/", "https://xn--exmple-4nf.com/", "xn--exmple-4nf.com"),
        ("https://bücher.example/ü", "https://xn--bcher-kva.example/ü", "xn--bcher-kva.example"),
    ],
)
def test_should_make_a_link_that_says_where_it_leads(text: str, address: str, host: str) -> None:
    shown = str(linked(text))
    [to] = re.findall(OPENING, shown)
    assert unescape(to) == address
    assert f'<span class="host">(opens {host})</span>' in shown


@pytest.mark.parametrize(
    "text",
    [
        "http://example.com/",
        "javascript:alert(1)",
        "data:text/html,x",
        "https://bank.example@evil.example/",
        "https://bank.example:443@evil.example/",
        "https://localhost/",
        "https://[::1]/",
        "https://example.com:99999/",
        "https://-.com/",
        "https://..../",
        "https://",
        "https://\\u202eexample.com/",
        "plain",
    ],
)
def test_should_make_no_link_of_anything_else(text: str) -> None:
    assert "<a" not in str(linked(text))
    assert unescape(str(linked(text))) == text


@given(st.text() | st.text(st.sampled_from("https://a.b\"<>&'@:%[]\\ ")).map("https://".__add__))
def test_should_show_every_character_and_let_none_act(text: str) -> None:
    shown = re.sub(r' <span class="host">.*?</span>', "", str(linked(text)))
    inner = re.sub(
        r'<a href="https://[^"<>]*" rel="noreferrer noopener" target="_blank">', "", shown
    )
    inner = inner.replace("</a>", "")
    assert "<" not in inner
    assert unescape(inner) == text


def test_should_mark_the_lines_of_a_diff() -> None:
    value = "--- a\n+++ b\n@@ -1 +1 @@\n-old\n+new\n same\n"
    assert [change for change, _ in diff_lines(value)] == [
        "place", "place", "place", "removed", "added", "", ""
    ]  # fmt: skip
    assert "\n".join(line for _, line in diff_lines(value)) == value
