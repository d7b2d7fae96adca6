"""The pictures of `docs/architecture.md` show every part that is deployed, and no other."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from hitl_approval.contract import Env
from tests.infra.synth import CONFIGURATIONS, any_app, of_type, template

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "architecture.md").read_text(encoding="utf-8")
SVG = "{http://www.w3.org/2000/svg}"

FUNCTIONS = {
    "workflow": "workflow function",
    "request_api": "request function",
    "approval_api": "approval function",
    "sweep": "sweep function",
    "publisher": "publisher function",
    "messenger": "messenger function",
    "page": "page function",
    "signed_in": "signed-in function",
}
"""The entry point's package, and what the pictures call the function."""

OTHERS = {
    "AWS::DynamoDB::Table": {
        "Table": "approvals table",
        "AuditTable": "audit table",
        "InboxTable": "inbox table",
        "MessagesTable": "messages table",
    },
    "AWS::SNS::Topic": {"Topic": "broadcast topic", "PersonalTopic": "personal topic"},
    "AWS::SQS::Queue": {"DeadLetterQueue": "dead-letter queue"},
    "AWS::ApiGatewayV2::Api": {"Api": "HTTP API"},
    "AWS::Events::Rule": {"SweepSchedule": "schedule", "MessengerSchedule": "schedule"},
}
OUTSIDE = {"a requester", "your functions", "approvers", "hitl", "other systems"}
"""What the pictures show beside the deployment."""


@pytest.fixture(scope="module")
def templates() -> dict[str, dict[str, Any]]:
    """The deployable app as it is by default, and with all that it can have."""
    return {name: template(CONFIGURATIONS[name](any_app())) for name in ("default", "signed_in")}


def parts(deployed: dict[str, Any]) -> set[str]:
    """What is deployed, in the words of the pictures."""
    found = set()
    for name, resource in deployed["Resources"].items():
        kind, properties = resource["Type"], resource.get("Properties", {})
        place = re.sub(r"^Approval(Page(?!Function))?|[0-9A-F]{8}$", "", name)
        if kind == "AWS::Lambda::Function":
            found.add(FUNCTIONS[properties["Handler"].partition(".")[0]])
            if Env.EVENT_BUS_NAME in properties["Environment"]["Variables"]:
                found.add("event bus")
        elif kind in OTHERS:
            found.add(OTHERS[kind][place])
    return found


def drawn() -> ElementTree.Element:
    return ElementTree.parse(DOCS / "architecture.svg").getroot()


def test_should_draw_every_part(templates: dict[str, dict[str, Any]]) -> None:
    labels = [text.text for text in drawn().iter(f"{SVG}text") if text.get("class") == "label"]
    assert len(labels) == len(set(labels))
    assert set(labels) == parts(templates["signed_in"]) | OUTSIDE


def test_should_have_every_part_in_the_mermaid_picture(
    templates: dict[str, dict[str, Any]],
) -> None:
    [mermaid] = re.findall(r"```mermaid\n(.*?)```", PAGE, re.DOTALL)
    nodes = set(re.findall(r'(?:\[|\[\()"([^"]+)"(?:\]|\)\])', mermaid)) - {"one transaction"}
    assert nodes >= parts(templates["signed_in"])
    stadiums = set(re.findall(r'\(\["([^"]+)"\]\)', mermaid))
    assert nodes - stadiums == parts(templates["signed_in"])


def test_should_list_every_part(templates: dict[str, dict[str, Any]]) -> None:
    _, _, table = PAGE.partition("## The parts")
    listed = set(re.findall(r"^\| ([\w -]+) \| ", table, re.MULTILINE)) - {"part"}
    assert listed == parts(templates["signed_in"]) - {"schedule"}


def test_should_say_which_parts_are_optional(templates: dict[str, dict[str, Any]]) -> None:
    """The default deployment lacks nobody but who answers signed-in people."""
    both = parts(templates["signed_in"])
    assert both - parts(templates["default"]) == {"signed-in function"}
    assert re.search(r"^\| signed-in function \| .* \| with `page.sign_in` \|$", PAGE, re.MULTILINE)


def test_should_be_read_aloud() -> None:
    picture = drawn()
    assert picture.get("role") == "img"
    named = (picture.get("aria-labelledby") or "").split()
    spoken = [element for element in picture.iter() if element.get("id") in named]
    assert [element.tag for element in spoken] == [f"{SVG}title", f"{SVG}desc"]
    assert all(element.text for element in spoken)
    for label in FUNCTIONS.values():
        assert label in str(spoken[1].text), label


def test_should_resume_attached_functions_as_the_workflow_in_the_mermaid_picture(
    templates: dict[str, dict[str, Any]],
) -> None:
    """Whatever completes the workflow's callbacks completes those of attached functions.

    Of requests that others replace the workflow function does so itself, and the request function
    for those who ask through it.
    """
    edges = re.findall(r'^  (.+) -\. "callback: resume" \.-> (\w+)$', PAGE, re.MULTILINE)
    sources = {to: set(together.split(" & ")) for together, to in edges}
    assert sources["attached"] - {"request"} == sources["workflow"] - {"workflow"}
    assert sources["workflow"] == {
        label.partition(" ")[0].replace("-", "")
        for entry, label in FUNCTIONS.items()
        if "lambda:SendDurableExecutionCallbackSuccess" in actions(templates["signed_in"], entry)
    }


def actions(deployed: dict[str, Any], entry: str) -> set[str]:
    """What the function of an entry point may do."""
    resources = deployed["Resources"]
    [role] = {
        function["Role"]["Fn::GetAtt"][0]
        for function in of_type(resources, "AWS::Lambda::Function").values()
        if function["Handler"].startswith(f"{entry}.")
    }
    named = [
        statement["Action"]
        for policy in of_type(resources, "AWS::IAM::Policy").values()
        if {"Ref": role} in policy["Roles"]
        for statement in policy["PolicyDocument"]["Statement"]
    ]
    return {name for names in named for name in ([names] if isinstance(names, str) else names)}
