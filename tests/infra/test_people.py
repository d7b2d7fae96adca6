"""Groups and addresses of any number reach the functions that need them in a layer of their own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from aws_cdk.aws_apigatewayv2_authorizers import HttpIamAuthorizer

from hitl_approval.contract import DIRECTORY_FILE, GROUPS_FILE, ORGANIZATION_FILE, Env
from hitl_approval.domain.delivery import Address, Directory
from hitl_approval.settings import Settings
from hitl_approval_cdk import (
    ApprovalPage,
    EmailApprover,
    HitlApproval,
    Organization,
    SqsApprover,
    resolve,
)
from hitl_approval_cdk.people import directory_of, give_directory, says_anything
from tests.infra.synth import any_app, any_stack, functions, of_type, template

COMPANY = {
    f"team {number:03}": [f"person.{number}.{each}@subsidiary.example.com" for each in range(10)]
    for number in range(100)
}
"""1,000 people in 100 groups: 40 kilobytes."""


def kept(app: App, stack: Stack) -> list[Mapping[str, Any]]:
    """What each layer of groups in the assembly holds."""
    folder = Path(app.synth().get_stack_by_name(stack.stack_name).template_full_path).parent
    return [json.loads(path.read_text()) for path in folder.glob(f"asset.*/python/{GROUPS_FILE}")]


def test_should_hold_a_whole_company(monkeypatch: pytest.MonkeyPatch) -> None:
    app = any_app()
    stack = Stack(app, "Embedding")
    HitlApproval(stack, "Approval", groups=COMPANY)
    assert kept(app, stack) == [COMPANY]
    resources = template(stack)["Resources"]
    [layer] = [name for name, r in resources.items() if r["Type"] == "AWS::Lambda::LayerVersion"]
    made = functions(resources)["workflow.handler.handler"]
    assert made["Layers"] == [{"Ref": layer}]
    assert made["Environment"]["Variables"][Env.APPROVER_GROUPS] == GROUPS_FILE

    outdir = Path(app.synth().directory)
    [folder] = [path.parent for path in outdir.glob(f"asset.*/python/{GROUPS_FILE}")]
    monkeypatch.syspath_prepend(folder)
    read = Settings(values={Env.APPROVER_GROUPS: GROUPS_FILE}).groups
    assert read == {name: tuple(people) for name, people in COMPANY.items()}


def test_should_give_them_to_who_writes_requests_and_who_says_whom_they_name() -> None:
    stack = any_stack()
    HitlApproval(stack, "Approval", groups={"leads": ["ann"]})
    made = functions(template(stack)["Resources"])
    with_layer = {handler for handler, properties in made.items() if "Layers" in properties}
    assert with_layer == {
        "workflow.handler.handler",
        "request_api.handler.handler",
        "approval_api.handler.handler",
    }


def test_should_make_no_layer_without_groups() -> None:
    stack = any_stack()
    HitlApproval(stack, "Approval")
    resources = template(stack)["Resources"]
    assert not of_type(resources, "AWS::Lambda::LayerVersion")
    variables = functions(resources)["workflow.handler.handler"]["Environment"]["Variables"]
    assert Env.APPROVER_GROUPS not in variables


@pytest.mark.parametrize("flag", [True, False])
def test_should_publish_a_version_when_a_group_changes(flag: bool) -> None:
    def version(people: list[str]) -> set[str]:
        app = any_app(**{"@aws-cdk/aws-lambda:recognizeLayerVersion": flag})
        stack = Stack(app, "Embedding")
        HitlApproval(stack, "Approval", groups={"leads": people})
        return set(of_type(template(stack)["Resources"], "AWS::Lambda::Version"))

    assert version(["ann"]) == version(["ann"])
    assert version(["ann"]) != version(["ann", "bob"])


def test_should_keep_the_groups_of_two_deployments_apart() -> None:
    app = any_app()
    stack = Stack(app, "Embedding")
    HitlApproval(stack, "Payments", groups={"leads": ["ann"]})
    HitlApproval(stack, "Releases", groups={"leads": ["bob"]})
    assert {str(found) for found in kept(app, stack)} == {
        "{'leads': ['ann']}",
        "{'leads': ['bob']}",
    }


def test_should_know_a_whole_company_by_its_addresses() -> None:
    app = any_app()
    stack = Stack(app, "Embedding")
    people = [person for members in COMPANY.values() for person in members]
    known = Directory(people={person: [Address("ses", person)] for person in people})
    function = lambda_.Function(
        stack,
        "Messenger",
        code=lambda_.Code.from_inline("pass"),
        handler="index.handler",
        runtime=lambda_.Runtime.PYTHON_3_13,
    )
    give_directory(function, stack, known)
    folder = Path(app.synth().get_stack_by_name(stack.stack_name).template_full_path).parent
    [file] = folder.glob(f"asset.*/python/{DIRECTORY_FILE}")
    assert Settings(values={Env.DIRECTORY: str(file)}).directory == known


def test_should_need_no_directory_where_the_topic_reaches_everybody() -> None:
    stack = any_stack()
    people = [EmailApprover("ann@example.com", "ann"), EmailApprover("bob@example.com")]
    HitlApproval(stack, "Approval", page=ApprovalPage(), deliver_to=people)
    resources = template(stack)["Resources"]
    assert not of_type(resources, "AWS::Lambda::LayerVersion")
    variables = functions(resources)["messenger.handler.handler"]["Environment"]["Variables"]
    assert Env.DIRECTORY not in variables
    options = resolve({"deliver_to": people, "page": ApprovalPage()})
    assert not says_anything(directory_of(options))
    assert says_anything(Directory(mail=True))


def test_should_send_links_to_a_whole_company_through_seven_queues() -> None:
    stack = any_stack()
    people = [person for members in COMPANY.values() for person in members]
    queues = [sqs.Queue(stack, f"Chat{number}") for number in range(7)]
    HitlApproval(
        stack,
        "Approval",
        groups=COMPANY,
        page=ApprovalPage(),
        deliver_to=[SqsApprover(name, queues[at % 7]) for at, name in enumerate(people)],
    )
    subscriptions = of_type(template(stack)["Resources"], "AWS::SNS::Subscription").values()
    reached = [name for each in subscriptions for name in each["FilterPolicy"]["approver"]]
    assert sorted(reached) == sorted(people)
    assert len(subscriptions) == 7


NORDWIND = Organization("Nordwind", "#a8201a", b'<svg xmlns="http://www.w3.org/2000/svg"/>')


def test_should_say_whose_page_it_is_to_the_functions_that_show_pages(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = any_app()
    stack = Stack(app, "Embedding")
    page = ApprovalPage(organization=NORDWIND, sign_in=HttpIamAuthorizer())
    HitlApproval(stack, "Approval", page=page)
    made = functions(template(stack)["Resources"])
    knowing = {
        handler
        for handler, properties in made.items()
        if properties["Environment"]["Variables"].get(Env.ORGANIZATION) == ORGANIZATION_FILE
    }
    with_layer = {handler for handler, properties in made.items() if "Layers" in properties}
    assert knowing == with_layer == {"page.handler.handler", "signed_in.handler.handler"}

    outdir = Path(app.synth().directory)
    [folder] = [path.parent for path in outdir.glob(f"asset.*/python/{ORGANIZATION_FILE}")]
    monkeypatch.syspath_prepend(folder)
    assert Settings(values={Env.ORGANIZATION: ORGANIZATION_FILE}).organization == NORDWIND


def test_should_make_no_layer_where_the_page_is_nobody_s() -> None:
    stack = any_stack()
    HitlApproval(stack, "Approval", page=ApprovalPage())
    resources = template(stack)["Resources"]
    assert not of_type(resources, "AWS::Lambda::LayerVersion")
    assert Env.ORGANIZATION not in json.dumps(resources)
