"""`hitl slack-manifest`: an app whose clicks reach this deployment, with no right too many."""

from __future__ import annotations

import json

from hitl_approval.contract import Output

from .conftest import Hitl
from .fake_cloud import FakeCloud

PAGE = "https://abc123.execute-api.eu-central-1.amazonaws.com"


def test_should_let_slack_call_this_deployment(hitl: Hitl, cloud: FakeCloud) -> None:
    cloud.outputs[Output.PAGE_URL] = PAGE
    result = hitl("slack-manifest", "--name", "Freigaben")
    made = json.loads(result.out)
    assert made["display_information"]["name"] == "Freigaben"
    assert made["settings"]["interactivity"] == {"is_enabled": True, "request_url": f"{PAGE}/slack"}
    assert made["oauth_config"] == {
        "scopes": {"bot": ["chat:write", "im:write", "users:read", "users:read.email"]}
    }
    assert hitl("slack-manifest", "--name", "Freigaben", "--json").json == made


def test_should_say_that_there_is_no_page_to_call(hitl: Hitl, cloud: FakeCloud) -> None:
    cloud.outputs.pop(Output.PAGE_URL, None)
    result = hitl("slack-manifest")
    assert result.status == 1
    assert "this deployment has no page" in result.err


def test_should_refuse_a_name_that_slack_would(hitl: Hitl, cloud: FakeCloud) -> None:
    cloud.outputs[Output.PAGE_URL] = PAGE
    for name in ("", "x" * 36):
        result = hitl("slack-manifest", "--name", name)
        assert result.status == 2
        assert "--name: must be 1 to 35 characters" in result.err
