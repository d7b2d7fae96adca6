"""The issuer's back channel. Threat: it leads us elsewhere, keeps us waiting, or never ends."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import pytest

from hitl_approval.adapters import issuer as module
from hitl_approval.adapters.issuer import MAX_ANSWER, OpenIdIssuer
from hitl_approval.domain.errors import Unavailable
from tests.serving import serving

NAME = "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_abc"
WELL_KNOWN = "/eu-central-1_abc/.well-known/openid-configuration"
Answers = dict[str, Any]


class Server:
    """Answers paths with JSON, a status or raw bytes, and notes what it was asked."""

    def __init__(self) -> None:
        self.answers: Answers = {}
        self.asked: list[tuple[str, str, dict[str, str], str]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                size = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(size).decode()
                outer.asked.append((self.command, self.path, dict(self.headers), body))
                status, said = outer.answers.get(self.path, (404, {}))
                raw = said if isinstance(said, bytes) else json.dumps(said).encode()
                self.send_response(status)
                if status == 302:
                    self.send_header("Location", f"{outer.url}/elsewhere")
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            do_GET = do_POST = answer  # noqa: N815  the library's names

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def about(self, **changed: Any) -> Answers:
        found = {
            "issuer": NAME,
            "authorization_endpoint": f"{self.url}/in",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
            "end_session_endpoint": f"{self.url}/out",
        }
        return {name: value for name, value in (found | changed).items() if value is not None}


@contextmanager
def running(server: Server) -> Iterator[Server]:
    with serving(server.server):
        yield server


@pytest.fixture
def server() -> Iterator[Server]:
    with running(Server()) as serving:
        serving.answers[WELL_KNOWN] = (200, serving.about())
        yield serving


def client(server: Server, secret: Callable[[], str] | None = None) -> OpenIdIssuer:
    return OpenIdIssuer(NAME, "approvals", secret, server.url)


def redeem(issuer: OpenIdIssuer) -> str | None:
    return issuer.redeem("code", verifier="verifier", redirect_uri="https://a.example/back")


def test_should_ask_once_where_it_answers(server: Server) -> None:
    issuer = client(server)
    for _ in range(2):
        found = issuer.endpoints()
        assert (found.authorization, found.end_session) == (f"{server.url}/in", f"{server.url}/out")
    assert [path for _, path, *_ in server.asked] == [WELL_KNOWN]


def test_should_do_without_a_place_to_sign_out(server: Server) -> None:
    server.answers[WELL_KNOWN] = (200, server.about(end_session_endpoint=None))
    assert client(server).endpoints().end_session is None


def test_should_read_the_keys_again_when_asked(server: Server) -> None:
    issuer = client(server)
    server.answers["/keys"] = (200, {"keys": [{"kid": "1"}, "no key"]})
    assert issuer.keys() == [{"kid": "1"}]
    server.answers["/keys"] = (200, {"keys": [{"kid": "2"}]})
    assert issuer.keys() == [{"kid": "1"}]
    assert issuer.keys(again=True) == [{"kid": "2"}]
    server.answers["/keys"] = (200, {"keys": None})
    assert issuer.keys(again=True) == []


def test_should_redeem_a_code_as_a_client_without_a_secret(server: Server) -> None:
    server.answers["/token"] = (200, {"id_token": "a.b.c", "access_token": "x"})
    assert redeem(client(server)) == "a.b.c"
    _, _, headers, body = server.asked[-1]
    assert {name: values[0] for name, values in parse_qs(body).items()} == {
        "grant_type": "authorization_code",
        "code": "code",
        "code_verifier": "verifier",
        "redirect_uri": "https://a.example/back",
        "client_id": "approvals",
    }
    assert "Authorization" not in headers


def test_should_prove_itself_by_its_secret(server: Server) -> None:
    server.answers["/token"] = (200, {"id_token": "a.b.c"})
    redeem(client(server, lambda: "s:é"))
    _, _, headers, body = server.asked[-1]
    sent = base64.b64decode(headers["Authorization"].removeprefix("Basic ")).decode()
    assert sent == "approvals:s%3A%C3%A9"
    assert "client_" not in body


def test_should_send_its_secret_as_the_issuer_takes_it(server: Server) -> None:
    about = server.about(token_endpoint_auth_methods_supported=["client_secret_post"])
    server.answers |= {WELL_KNOWN: (200, about), "/token": (200, {"id_token": "a.b.c"})}
    redeem(client(server, lambda: "secret"))
    _, _, headers, body = server.asked[-1]
    assert ("client_secret=secret" in body, "Authorization" in headers) == (True, False)


def test_should_say_that_a_code_is_not_taken(server: Server) -> None:
    server.answers["/token"] = (400, {"error": "invalid_grant"})
    assert redeem(client(server)) is None
    server.answers["/token"] = (200, {"access_token": "x"})
    assert redeem(client(server)) is None


@pytest.mark.parametrize(
    "answer", [(401, {"error": "invalid_client"}), (500, {"error": "invalid_grant"}), (302, {})]
)
def test_should_be_unavailable_where_the_client_is_not_taken(server: Server, answer: Any) -> None:
    server.answers["/token"] = answer
    with pytest.raises(Unavailable, match="did not redeem the code"):
        redeem(client(server))


@pytest.mark.parametrize(
    "answer",
    [(500, {}), (404, {}), (200, b"<html>"), (200, []), (200, b"[" * 100_000)],
    ids=["fault", "nothing", "html", "a list", "deep"],
)
def test_should_be_unavailable_without_a_discovery_document(server: Server, answer: Any) -> None:
    server.answers[WELL_KNOWN] = answer
    with pytest.raises(Unavailable):
        client(server).endpoints()


def test_should_follow_no_redirect(server: Server) -> None:
    server.answers |= {WELL_KNOWN: (302, {}), "/elsewhere": (200, server.about())}
    with pytest.raises(Unavailable, match="did not answer"):
        client(server).endpoints()
    assert [path for _, path, *_ in server.asked] == [WELL_KNOWN]


def test_should_read_no_more_than_an_issuer_says(server: Server) -> None:
    server.answers[WELL_KNOWN] = (200, server.about(more="x" * MAX_ANSWER))
    with pytest.raises(Unavailable, match="answered too much"):
        client(server).endpoints()


def test_should_refuse_an_issuer_of_another_name(server: Server) -> None:
    server.answers[WELL_KNOWN] = (200, server.about(issuer=f"{NAME}x"))
    with pytest.raises(Unavailable, match="another name"):
        client(server).endpoints()


@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
@pytest.mark.parametrize(
    "address",
    [None, 1, "", "http://a.example/", "http://127.0.0.1:1/", "//a.example", "ftp://a.example",
     "https://user@a.example/", "javascript:alert(1)"],
)  # fmt: skip
def test_should_use_no_address_that_is_not_encrypted(
    server: Server, name: str, address: Any
) -> None:
    server.answers[WELL_KNOWN] = (200, server.about(**{name: address}))
    with pytest.raises(Unavailable, match="not https"):
        client(server).endpoints()


def test_should_give_up_an_issuer_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    silent = Server()  # it listens, and never answers
    monkeypatch.setattr(module, "TIMEOUT", 0.01)
    with pytest.raises(Unavailable, match="did not answer") as raised:
        client(silent).endpoints()
    assert raised.value.details == {"reason": "TimeoutError"}
    silent.server.server_close()


def test_should_ask_an_issuer_of_others_under_its_own_name_only(server: Server) -> None:
    """`AWS_ENDPOINT_URL` says where AWS is, and nobody else."""
    for name in ("https://evil.example", "https://cognito-idp.a.amazonaws.com.evil.example/x"):
        issuer = OpenIdIssuer(name, "approvals", None, server.url)
        assert issuer._base() == name
        with pytest.raises(Unavailable, match="not https"):
            issuer._checked(f"{server.url}/token")
    with pytest.raises(Unavailable, match="not https"):
        OpenIdIssuer("http://evil.example", "approvals").endpoints()
    assert server.asked == []
