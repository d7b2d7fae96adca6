"""What `docs/mcp.md` shows is run, and its tables are the code's."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import assertions

from hitl_approval.domain.tool_policy import ToolPolicy
from hitl_approval.mcp import versions
from hitl_approval.mcp.tools import TOOLS
from hitl_approval.testing import in_memory
from tests.cli.fake_cloud import FakeCloud
from tests.mcp.serving import RITA, Api, served

PAGE = (Path(__file__).parents[2] / "docs" / "mcp.md").read_text(encoding="utf-8")
CLI = (Path(__file__).parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")
DEPLOYED, CLIENT = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
DESKTOP, POLICY, GATED = map(json.loads, re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL))


def test_should_deploy_the_route_behind_the_sign_in() -> None:
    shown: dict[str, Any] = {}
    exec(DEPLOYED, shown)
    assertions.Template.from_stack(shown["stack"]).has_resource_properties(
        "AWS::ApiGatewayV2::Route", {"RouteKey": "POST /mcp", "AuthorizationType": "JWT"}
    )


def test_should_ask_as_its_client_does(capsys: pytest.CaptureFixture[str]) -> None:
    world = in_memory()
    api = Api(world, FakeCloud(world))
    shown: dict[str, Any] = {}
    exec(CLIENT, shown)
    with served(api):
        asyncio.run(shown["main"](api.url, RITA))
    [asked] = world.store.approvals.values()
    assert (asked.subject, asked.requester) == ("Delete the table orders", RITA)
    assert asked.approval_id in capsys.readouterr().out


def test_should_take_the_policy() -> None:
    policy = ToolPolicy.from_json(POLICY)
    assert [pattern for pattern, _ in policy.rules] == [each["tools"] for each in POLICY]
    assert policy.rule_on("pay", {"amount": 99}).action == "allow"
    assert policy.rule_on("pay", {"amount": 100}).action == "deny"
    ruling = policy.rule_on("send_mail", {"text": "Hello"})
    assert ruling.rule is not None
    assert ruling.rule.editable == ("text",)


@pytest.mark.parametrize("shown", [DESKTOP, GATED])
def test_should_start_a_command_that_there_is(shown: Any) -> None:
    [server] = shown["mcpServers"].values()
    ours, *_ = " ".join(server["args"]).partition(" -- ")
    command, *options = re.findall(r"mcp|--\w+", ours)
    assert (server["command"], command) == ("hitl", "mcp")
    [reference] = re.findall(r"^### hitl mcp\n(.*?)(?=^### )", CLI, re.MULTILINE | re.DOTALL)
    assert options
    for option in options:
        assert option in reference


def test_should_list_the_tools_and_the_versions() -> None:
    assert re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE) == list(TOOLS)
    [line] = re.findall(r"^\| versions \| (.*) \|$", PAGE, re.MULTILINE)
    assert re.findall(r"\d{4}-\d\d-\d\d", line) == list(versions.SUPPORTED)
