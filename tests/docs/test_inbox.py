"""What `docs/inbox.md` shows is run, and its routes are the code's."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from aws_cdk import assertions

from hitl_approval.routes import SIGNED_IN_ROUTES

DOCS = Path(__file__).parents[2] / "docs"
INBOX = (DOCS / "inbox.md").read_text(encoding="utf-8")


def test_should_run_what_it_shows() -> None:
    blocks = re.findall(r"```python\n(.*?)```", INBOX, re.DOTALL)
    for block, kind in zip(blocks, ("NONE", "JWT"), strict=True):
        shown: dict[str, Any] = {}
        exec(block, shown)
        template = assertions.Template.from_stack(shown["stack"])
        for route, authorized in (("GET /inbox", kind), ("GET /v1/inbox", "JWT")):
            template.has_resource_properties(
                "AWS::ApiGatewayV2::Route", {"RouteKey": route, "AuthorizationType": authorized}
            )


def test_should_list_every_route_of_the_json_api() -> None:
    listed = set(re.findall(r"^\| `((?:GET|POST|DELETE) /v1/\S+)` \|", INBOX, re.MULTILINE))
    routes = SIGNED_IN_ROUTES.items()
    assert listed == {
        f"{method} {path}" for path, methods in routes for method in methods if "/v1/" in path
    }
