"""`hitl local mail` over messages that the test wrote."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hitl_approval_cli import clock
from hitl_approval_cli.commands.local import mail, place
from tests.cli.conftest import Hitl

LINK = f"http://api.execute-api.localhost:1/a/{'d' * 32}.{'t' * 43}"


def sent(number: int, body: str) -> dict[str, Any]:
    return {
        "number": number,
        "sent_at": "2026-01-01T00:00:00.000+00:00",
        "channel": "email",
        "to": ["ann@example.com"],
        "subject": "Approval needed",
        "body": body,
    }


Send = Callable[..., None]


@pytest.fixture
def send(monkeypatch: pytest.MonkeyPatch) -> Send:
    """A local cloud that has sent these; with `--follow` it is read twice more."""
    messages: list[dict[str, Any]] = []
    later: list[list[dict[str, Any]]] = []

    def read(environment: object, after: int = 0) -> list[dict[str, Any]]:
        return [message for message in messages if message["number"] > after]

    def pause(_: float) -> None:
        if not later:
            raise KeyboardInterrupt
        messages.extend(later.pop(0))

    monkeypatch.setattr(place, "running", lambda _: {"environment": {}})
    monkeypatch.setattr(mail, "sent_messages", read)
    monkeypatch.setattr(clock, "pause", pause)

    def have(*given: dict[str, Any], then: tuple[dict[str, Any], ...] = ()) -> None:
        messages.extend(given)
        later.extend([[each] for each in then])

    return have


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    links: list[str] = []

    def open_(url: str) -> bool:
        links.append(url)
        return len(links) == 1

    monkeypatch.setattr("webbrowser.open", open_)
    return links


def test_should_show_messages_whole_and_inert(hitl: Hitl, send: Send) -> None:
    send(sent(1, f"[bold]read[/] \x1b[31m\n  {LINK}\n"), sent(2, "second"))
    shown = hitl("local", "mail")
    assert (shown.status, shown.err) == (0, "")
    assert "email  ann@example.com\nApproval needed\n\n[bold]read[/] \\u001b[31m\n" in shown.out
    assert f"\n  {LINK}\n" in shown.out
    assert shown.out.index("[bold]read") < shown.out.index("second")


def test_should_say_that_there_are_none(hitl: Hitl, send: Send) -> None:
    assert hitl("local", "mail").out.startswith("No messages yet: ")
    assert json.loads(hitl("local", "mail", "--json").out) == {"messages": []}


def test_should_follow_what_is_sent_from_now_on(hitl: Hitl, send: Send, opened: list[str]) -> None:
    send(sent(1, "old"), then=(sent(2, f"new {LINK}"), sent(3, "nothing to open")))
    shown = hitl("local", "mail", "--follow", "--json", "--open")
    assert (shown.status, shown.err) == (0, "")
    assert [json.loads(line)["number"] for line in shown.out.splitlines()] == [2, 3]
    assert opened == [LINK]


def test_should_open_the_newest_link_or_say_that_it_cannot(
    hitl: Hitl, send: Send, opened: list[str]
) -> None:
    send(sent(1, "http://older.example"), sent(2, f"{LINK}\n"), sent(3, "no link"))
    assert hitl("local", "mail", "--open").err == ""
    assert "by hand" in hitl("local", "mail", "--open").err
    assert opened == [LINK, LINK]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HITL_LOCAL_DIR", str(tmp_path))
    return tmp_path


def test_should_say_how_to_see_the_html(hitl: Hitl, send: Send) -> None:
    send(sent(1, "text"), sent(2, "text") | {"html": "<p>"})
    assert hitl("local", "mail").out.count("As HTML: hitl local mail --html 2\n") == 1


def test_should_open_the_html_of_a_mail(
    hitl: Hitl, send: Send, opened: list[str], folder: Path
) -> None:
    page = "<h1>B\u00fccher</h1>"
    send(sent(1, "text"), sent(2, "text") | {"html": page})
    shown = hitl("local", "mail", "--html", "2")
    assert (shown.status, shown.err) == (0, "")
    [address] = opened
    assert shown.out.strip() == address
    assert address.startswith("file://")
    assert (folder / "mail-2.html").read_text("utf-8") == page
    assert "by hand" in hitl("local", "mail", "--html", "2").err


@pytest.mark.parametrize("number", ["1", "9"])
def test_should_say_which_mails_have_html(
    hitl: Hitl, send: Send, opened: list[str], folder: Path, number: str
) -> None:
    send(sent(1, "text"), sent(2, "text") | {"html": "<p>"})
    shown = hitl("local", "mail", "--html", number)
    assert shown.status == 1
    assert f"message {number} has no HTML: these have: 2" in shown.err
    assert opened == []
