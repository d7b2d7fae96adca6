"""Slack's Web API, as far as our app calls it: a server that keeps what it was sent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

from tests.serving import serving

TEAM, TOKEN, SIGNING_SECRET = "T0123ABCD", "xoxb-a-bot-token", "a-signing-secret"


@dataclass(slots=True)
class FakeSlack:
    """One workspace.

    Attributes:
        users: by id, as `users.info` shows them.
        messages: by channel and time, as they stand now.
        views: dialogs that were opened, in order.
        calls: each method with its arguments, in order.
        answers: what the next calls of a method are answered in place of what they ask for: an
            error's code, a status, or None for no answer at all.
        url: where it is.
    """

    users: dict[str, dict[str, Any]] = field(default_factory=dict)
    messages: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    views: list[dict[str, Any]] = field(default_factory=list)
    calls: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    answers: dict[str, list[str | int | None]] = field(default_factory=dict)
    url: str = ""

    def add_user(self, user_id: str, address: str, **more: Any) -> None:
        """Let somebody be there."""
        self.users[user_id] = {
            "id": user_id,
            "team_id": TEAM,
            "deleted": False,
            "is_bot": False,
            "is_email_confirmed": True,
            "profile": {"email": address},
        } | more

    def answer(self, method: str, given: dict[str, str], token: str) -> dict[str, Any]:
        """What Slack answers to a call."""
        if token != f"Bearer {TOKEN}":
            return {"ok": False, "error": "invalid_auth"}
        act = getattr(self, f"_{method.replace('.', '_').lower()}", None)
        if act is None:
            return {"ok": False, "error": "unknown_method"}
        said: dict[str, Any] = act(given)
        return said

    def _users_info(self, given: dict[str, str]) -> dict[str, Any]:
        user = self.users.get(given["user"])
        return {"ok": True, "user": user} if user else {"ok": False, "error": "user_not_found"}

    def _users_lookupbyemail(self, given: dict[str, str]) -> dict[str, Any]:
        for user in self.users.values():
            if user["profile"].get("email") == given["email"]:
                return {"ok": True, "user": user}
        return {"ok": False, "error": "users_not_found"}

    def _views_open(self, given: dict[str, str]) -> dict[str, Any]:
        self.views.append(json.loads(given["view"]))
        return {"ok": True, "view": {"id": f"V{len(self.views)}"}}

    def _chat_postmessage(self, given: dict[str, str]) -> dict[str, Any]:
        # A person's id is taken for the conversation with them, whose own id comes back.
        channel = given["channel"].replace("U", "D", 1)
        ts = f"1700000000.{len(self.messages):06d}"
        self.messages[channel, ts] = _content(given)
        if "thread_ts" in given:
            self.messages[channel, ts]["below"] = given["thread_ts"]
        return {"ok": True, "channel": channel, "ts": ts}

    def _chat_update(self, given: dict[str, str]) -> dict[str, Any]:
        place = given["channel"], given["ts"]
        if place not in self.messages:
            return {"ok": False, "error": "message_not_found"}
        self.messages[place] = _content(given)
        return {"ok": True, "channel": place[0], "ts": place[1]}


def _content(given: dict[str, str]) -> dict[str, Any]:
    return {"text": given["text"], "blocks": json.loads(given["blocks"])}


@contextmanager
def fake_slack() -> Iterator[FakeSlack]:
    """A workspace on a free port of this machine, until the block ends."""
    slack = FakeSlack()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            method = self.path.rpartition("/")[2]
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            given = {name: values[-1] for name, values in parse_qs(body).items()}
            slack.calls.append((method, given))
            instead: str | int | None = ""
            if slack.answers.get(method):
                instead = slack.answers[method].pop(0)
            if instead is None:
                self.close_connection = True
                return
            if isinstance(instead, int):
                self.send_error(instead)
                return
            said: dict[str, Any] = {"ok": False, "error": instead}
            if not instead:
                said = slack.answer(method, given, self.headers.get("Authorization", ""))
            answer = json.dumps(said).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    slack.url = f"http://127.0.0.1:{server.server_port}/api"
    with serving(server):
        yield slack
