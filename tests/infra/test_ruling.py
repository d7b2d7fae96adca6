"""A deployment's rules at synth: checked with its people, and a file for who writes requests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import Stack

from hitl_approval.contract import Env
from hitl_approval.domain.rule import RULES_FILE, Rules
from hitl_approval.settings import Settings
from hitl_approval_cdk import HitlApproval, Quorum, Rule, approve, field, resolve
from tests.infra.synth import any_app, any_stack, functions, of_type, said, template

RULES = [
    Rule("small", when=field("amount") < 100, then=approve()),
    Rule("big", when=field("amount") >= 10_000, approvers=["leads"], quorum=Quorum.at_least(2)),
]
LEADS = {"leads": ["ann", "bob"]}


def test_should_give_them_to_the_functions_that_write_requests(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = any_app()
    stack = Stack(app, "Embedding")
    HitlApproval(stack, "Approval", rules=RULES, groups=LEADS)
    made = functions(template(stack)["Resources"])
    reading = {
        handler
        for handler, properties in made.items()
        if properties["Environment"]["Variables"].get(Env.APPROVAL_RULES) == RULES_FILE
    }
    assert reading == {
        "workflow.handler.handler",
        "request_api.handler.handler",
        "approval_api.handler.handler",
    }
    assert {handler for handler, each in made.items() if "Layers" in each} == reading

    [file] = Path(app.synth().directory).glob(f"asset.*/python/{RULES_FILE}")
    monkeypatch.syspath_prepend(file.parent)
    others = {"APPROVAL_POLICY": json.dumps(_POLICY), "DEFAULT_APPROVERS": "[]"}
    read = Settings(values={Env.APPROVAL_RULES: RULES_FILE, **others}).defaults.rules
    assert read == Rules(tuple(RULES))


_POLICY = {
    "quorum": "any_one",
    "quorum_count": 1,
    "rejections_needed": 1,
    "on_timeout": "timeout",
    "allow_self_approval": False,
    "require_verified_identity": False,
    "require_comment_on_rejection": False,
}


def test_should_make_no_layer_without_rules() -> None:
    stack = any_stack()
    HitlApproval(stack, "Approval")
    assert not of_type(template(stack)["Resources"], "AWS::Lambda::LayerVersion")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rules": "big"}, r"^rules must be a list of Rule"),
        ({"rules": [7]}, r"^rules must be Rule"),
        ({"rules": [{"id": "a"}]}, r"^rule a: says nothing"),
        ({"rules": [{"id": "a", "wen": 1}]}, r"^rules\[0\] has 'wen', which no rule knows"),
        (
            {"rules": RULES},
            r"^rules: rule big: quorum needs 2 approvals but 1 approvers are configured: \['leads'",
        ),
        (
            {"rules": [Rule("two", quorum=Quorum.at_least(2))], "approvers": ["ann"]},
            r"^rules: rule two: quorum needs 2 approvals",
        ),
        ({"rules": [Rule("all", quorum=Quorum.everyone())]}, None),
        (
            {"rules": [Rule("it", quorum=Quorum.of({"it": 1}))]},
            r"^rules: rule it: quorum names 'it', which is no group of this deployment",
        ),
        (
            {"rules": [Rule("it", quorum=Quorum.of({"it": 3}))], "groups": {"it": ["a", "b"]}},
            r"^rules: rule it: quorum needs 3 approvals of 'it' but 2 of its members",
        ),
        (
            {
                "rules": [Rule("big", approvers=["cfo"])],
                "quorum": Quorum.of({"it": 1}),
                "groups": {"it": ["a", "b"]},
            },
            r"^rules: rule big: names approvers, and the deployment's quorum is of groups",
        ),
        (
            {"rules": [Rule("any", approvers=["empty"])], "groups": {"empty": []}},
            r"groups\['empty'\] has no members",
        ),
    ],
)
def test_should_refuse_rules_that_nobody_could_satisfy(
    options: dict[str, Any], message: str | None
) -> None:
    if message is None:  # a request may still name everyone
        resolve(options)  # type: ignore[arg-type]
        return
    with pytest.raises(ValueError, match=message):
        resolve(options)  # type: ignore[arg-type]


def test_should_warn_where_who_asks_may_choose_around_them() -> None:
    stack = any_stack()
    HitlApproval(
        stack, "Approval", rules=RULES[:1], approvers=["ann"], requests_name_approvers=True
    )
    assert any("lets who asks name other people" in text for _, text in said(stack))
