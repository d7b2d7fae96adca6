"""What `docs/inbox.md` shows is run, and its routes and numbers are the code's."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from aws_cdk import assertions

from hitl_approval.contract import SIGNED_IN_ROUTES
from hitl_approval.domain.link import CHALLENGE_CHARACTERS
from hitl_approval.http.actions import DEFAULT_LIMIT, MAX_LIMIT
from hitl_approval.usecases.decide import SEARCHED

DOCS = Path(__file__).parents[2] / "docs"
INBOX = (DOCS / "inbox.md").read_text(encoding="utf-8")


def test_should_run_what_it_shows() -> None:
    (block,) = re.findall(r"```python\n(.*?)```", INBOX, re.DOTALL)
    shown: dict[str, Any] = {}
    exec(block, shown)
    template = assertions.Template.from_stack(shown["stack"])
    template.has_resource_properties(
        "AWS::ApiGatewayV2::Route", {"RouteKey": "GET /inbox", "AuthorizationType": "JWT"}
    )


def test_should_list_every_route_of_the_json_api() -> None:
    listed = set(re.findall(r"^\| `((?:GET|POST) /v1/\S+)` \|", INBOX, re.MULTILINE))
    routes = SIGNED_IN_ROUTES.items()
    assert listed == {
        f"{method} {path}" for path, methods in routes for method in methods if "/v1/" in path
    }


def test_should_give_the_numbers_of_the_code() -> None:
    assert f"`limit` ({DEFAULT_LIMIT}, at most {MAX_LIMIT})" in INBOX
    assert f"up to {SEARCHED:,} records" in INBOX
    assert CHALLENGE_CHARACTERS == 8
    assert "asks for eight characters" in (DOCS / "page.md").read_text(encoding="utf-8")
