"""`docs/construct.md`, and the context keys in `docs/deploy.md`, are what the code says."""

from __future__ import annotations

import re

import hitl_approval_cdk
from hitl_approval.contract import OUTPUTS
from hitl_approval_cdk.declaration import DECLARED
from tests.docs.construct_reference import DEPLOY, FILE, deploy_page, page
from tests.infra.synth import any_stack, of_type, template

PAGE = FILE.read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))


def test_should_be_what_make_docs_writes() -> None:
    assert page() == PAGE, "make docs"


def test_should_write_the_context_keys_of_the_deployable_app() -> None:
    text = DEPLOY.read_text(encoding="utf-8")
    assert deploy_page(text) == text, "make docs"
    assert deploy_page(text.replace("| `quorum` |", "| `quorm` |")) == text


def test_should_have_a_row_for_every_option_output_and_attribute() -> None:
    for section, names in (
        ("Options", [*DECLARED]),
        ("Outputs", [*OUTPUTS]),
        ("Attributes", ["table", "workflow_alias", "publisher_function", "dead_letter_queue"]),
        ("Methods", ["attach(function, layer)", "grant_decide(grantee)"]),
    ):
        for name in names:
            assert f"| `{name}" in SECTIONS[section], name


def test_should_show_parts_that_stand_alone() -> None:
    [block] = re.findall(r"```python\n(.*?)```", SECTIONS["Parts"], re.DOTALL)
    stack = any_stack()
    exec(block, {**vars(hitl_approval_cdk), "self": stack})
    resources = template(stack)["Resources"]
    functions = of_type(resources, "AWS::Lambda::Function").values()
    assert {function["MemorySize"] for function in functions} == {1024}
    assert len(of_type(resources, "AWS::DynamoDB::Table")) == 2
    [alias] = of_type(resources, "AWS::Lambda::Alias").values()
    assert alias["Name"] == "live"
    [version] = [r for r in resources.values() if r["Type"] == "AWS::Lambda::Version"]
    assert version["DeletionPolicy"] == "RetainExceptOnCreate"
    callbacks = [
        policy
        for policy in of_type(resources, "AWS::IAM::Policy").values()
        if "SendDurableExecutionCallbackSuccess" in str(policy)
    ]
    assert len(callbacks) == 3
