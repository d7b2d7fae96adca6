"""The local cloud is its user's alone: whom it answers.

It listens on 127.0.0.1, where every user of the machine and every web page in a browser can call
it, and it runs code. AWS knows its callers by their signatures; here the access key's id is the
secret. It is drawn at random for each cloud and demanded of every call, but for those that AWS,
too, takes from anyone: what a deployment publishes.
"""

from __future__ import annotations

import json
import secrets
import sys
import uuid
from collections.abc import Mapping
from contextvars import ContextVar
from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlsplit

from hitl_approval_cli.local.process import PEOPLE_PATH

Scope = Mapping[str, Any]
Headers = Mapping[str, str]
Query = Mapping[str, list[str]]

NO_KEY = (
    "This local cloud is its user's alone, and its key is missing here or another's: "
    'run eval "$(hitl local env)" in this terminal.'
)
_LOOPBACK = frozenset({"127.0.0.1", "localhost"})
_NAMES = (".localhost", ".on.aws", ".amazonaws.com")
"""Names as ministack and AWS give them to URLs; AWS's never lead a browser here."""
_OF_USER_POOLS = frozenset({
    ("GET", "/oauth2/authorize"), ("GET", "/logout"), ("POST", "/login"), ("POST", "/oauth2/login"),
    ("POST", "/oauth2/token"), ("GET", "/oauth2/userInfo"), ("POST", "/oauth2/userInfo"),
})  # fmt: skip
_CUSTOM_RESOURCE = "/_ministack/cfn-response/"
_USER_POOLS = "AWSCognitoIdentityProviderService."

_at_published_url: ContextVar[bool] = ContextVar("at_published_url", default=False)


def new_key() -> str:
    """An access key id that nobody guesses."""
    return f"LOCAL{secrets.token_hex(16).upper()}"


class Access:
    """Refuses what its user did not send."""

    def __init__(self, key: str) -> None:
        """Answer calls that carry this access key id."""
        self._key = key

    async def refuse(self, scope: Scope, send: Any) -> bool:
        """Answer a call that is not taken; False where it is.

        Args:
            scope: ASGI's, of `http` or `websocket`.
            send: ASGI's.
        """
        headers = _headers(scope)
        reason = self._reason(scope, headers)
        if reason is None:
            return False
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return True
        status, answered, body = _error(scope, headers, *reason)
        named = [(name.encode(), value.encode()) for name, value in answered.items()]
        await send({"type": "http.response.start", "status": status, "headers": named})
        await send(
            {"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body}
        )
        return True

    def _reason(self, scope: Scope, headers: Headers) -> tuple[str, str] | None:
        """Code and message of a refusal."""
        host = headers.get("host", "")
        if not _is_of_this_machine(host):
            # A page can give its own name this machine's address, and is then of one origin with
            # whatever answers; the name is what betrays it.
            return "WrongHost", "This local cloud answers to localhost only."
        method = scope.get("method", "GET")
        path, query = scope["path"], parse_qs(scope["query_string"].decode(errors="replace"))
        published = _is_published(scope["type"], host, method, path)
        _at_published_url.set(published)
        if published:
            return None
        origin = headers.get("origin")
        if origin is not None and origin != f"http://{host}":
            return "ForeignOrigin", "This local cloud answers no web page of another origin."
        if self._knows(headers, query) or _needs_no_key(method, host, path, headers, query):
            return None
        return "UnknownKey", NO_KEY

    def _knows(self, headers: Headers, query: Query) -> bool:
        from ministack.core.router import extract_access_key_id

        given = extract_access_key_id(dict(headers), dict(query))
        if secrets.compare_digest(given.encode(), self._key.encode()):
            return True
        sts = sys.modules.get("ministack.services.sts")
        return given != "" and sts is not None and given in sts._sessions


def answer_published_urls_only_by_their_deployment() -> None:
    """Hand a call of an HTTP API's or a function's URL to it, whatever the path is.

    Upstream reads the path first: `/_ministack/reset` at any API's URL resets all. In AWS
    every path of such a URL belongs to its deployment.
    """
    from ministack import app

    async def nothing(*_: Any) -> None:
        return None

    def unless_published(stock: Any, instead: Any) -> Any:
        async def handle(*arguments: Any, **options: Any) -> Any:
            chosen = instead if _at_published_url.get() else stock
            return await chosen(*arguments, **options)

        return handle

    async def deployed(  # noqa: PLR0917  upstream's signature
        method: str, path: str, headers: Any, body: bytes, query: Any, request_id: str, **raw: Any
    ) -> Any:
        host = headers.get("host", "")
        raw.pop("client_ip", None)
        answer = await app._handle_execute_api_request(
            host, path, method, headers, body, query, **raw
        )
        if answer is not None:
            return app._with_data_plane_headers(answer, request_id, wildcard_cors=False)
        return await app._handle_lambda_url_request(host, path, method, headers, body, query)

    app._handle_pre_body_request = unless_published(app._handle_pre_body_request, nothing)
    app._handle_post_body_shortcuts = unless_published(app._handle_post_body_shortcuts, nothing)
    app._handle_special_data_plane_request = unless_published(
        app._handle_special_data_plane_request, deployed
    )


def _headers(scope: Scope) -> dict[str, str]:
    return {name.decode("latin-1").lower(): v.decode("latin-1") for name, v in scope["headers"]}


def _is_of_this_machine(host: str) -> bool:
    """Whether a Host header is of those that no stranger can point here: localhost's and AWS's."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    return name in _LOOPBACK or name.endswith(_NAMES)


def _is_published(kind: str, host: str, method: str, path: str) -> bool:
    """Whether it is a URL of a deployment that answers without AWS credentials."""
    from ministack import app
    from ministack.services import lambda_svc

    api = app._parse_execute_api_url(host, path)
    if api is not None:
        if kind == "websocket":
            return True
        identity, stage, below = api
        if below.startswith("/@connections/"):
            return False
        stage, below = app._resolve_stage_and_path(identity, stage, below)
        demanded = app._execute_api_authorization_type(identity, stage, method, below)
        return bool(demanded != "AWS_IAM")
    url = app._parse_lambda_url(host, path)
    if url is None:
        return False
    found = lambda_svc.resolve_function_url(url[0])
    return found is None or found[-1].get("AuthType") == "NONE"


def _needs_no_key(method: str, host: str, path: str, headers: Headers, query: Query) -> bool:
    """Whether AWS takes the call unsigned: a user pool's, or a custom resource's answer."""
    if (method, path) in _OF_USER_POOLS:
        return True
    if method == "PUT" and path.startswith(_CUSTOM_RESOURCE):
        return True  # its address holds a random token
    if method == "GET" and path.startswith(f"{PEOPLE_PATH}/"):
        return True  # so does this one
    pool, found, _ = path.lstrip("/").partition("/.well-known/")
    if method == "GET" and found:
        from ministack.services import cognito

        return cognito._get_pool_unscoped(pool) is not None
    target = headers.get("x-amz-target", "")
    return (
        (method, path, dict(query)) == ("POST", "/", {})
        and urlsplit(f"//{host}").hostname in _LOOPBACK
        and target.startswith(_USER_POOLS)
        and target.removeprefix(_USER_POOLS) in _unsigned_operations()
    )


@cache
def _unsigned_operations() -> frozenset[str]:
    """What a user pool's clients call before they have signed in."""
    from botocore.session import Session

    model = Session().get_service_model("cognito-idp")
    return frozenset(
        name for name in model.operation_names if model.operation_model(name).auth_type == "none"
    )


def _error(
    scope: Scope, headers: Headers, code: str, message: str
) -> tuple[int, dict[str, str], bytes]:
    """The refusal, in the protocol of the service that is called."""
    from ministack.core.iam_actions import access_denied_response
    from ministack.core.responses import fix_error_content_type
    from ministack.core.router import detect_service

    query = parse_qs(scope["query_string"].decode(errors="replace"))
    service = detect_service(scope["method"], scope["path"], dict(headers), query)
    status, answered, body = access_denied_response(
        service, "", "", str(uuid.uuid4()), error_code=code, message=message, headers=dict(headers)
    )
    fix_error_content_type(service, status, answered)
    return status, answered, body if isinstance(body, bytes) else json.dumps(body).encode()
