"""Other people's durable functions: what attach gives them, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import pytest
from aws_cdk import Duration, Stack, assertions
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from cdk_nag import AwsSolutionsChecks

from hitl_approval.contract import Env
from hitl_approval.settings import Settings
from hitl_approval_cdk import HitlApproval, bundling
from tests.infra.synth import any_app, any_stack, durable, of_type, permissions, template, text
from tests.infra.test_functions import ATTACHED_ENV

ARN = "arn:aws:lambda:eu-central-1:123456789012:function:refund"


def environment(stack: Stack) -> dict[str, str]:
    functions = of_type(template(stack)["Resources"], "AWS::Lambda::Function")
    [refund] = [f for f in functions.values() if f["Handler"] == "refund.handler"]
    return {name: text(value) for name, value in refund["Environment"]["Variables"].items()}


def test_should_give_environment_layer_and_rights() -> None:
    stack = any_stack()
    approvals = HitlApproval(stack, "Approval")
    approvals.attach(durable(stack))

    resources = template(stack)["Resources"]
    assert environment(stack).keys() == {f"HITL_{name}" for name in ATTACHED_ENV}
    [layer] = of_type(resources, "AWS::Lambda::LayerVersion").values()
    assert layer["CompatibleRuntimes"] == ["python3.13", "python3.14"]
    assert permissions(resources)["RefundRole"] == {
        ("lambda:InvokeFunction", "<ApprovalRequestFunction.Arn>:<Refund>"),
        ("lambda:CheckpointDurableExecution", "<Refund.Arn>:*"),
        ("lambda:GetDurableExecutionState", "<Refund.Arn>:*"),
    }


def test_should_know_who_asks_by_an_alias_of_its_name() -> None:
    stack = any_stack()
    approvals = HitlApproval(stack, "Approval")
    for name in ("Refund", "Payout"):
        approvals.attach(durable(stack, name))

    aliases = of_type(template(stack)["Resources"], "AWS::Lambda::Alias").values()
    asking = [
        {name: text(value) for name, value in alias.items()}
        for alias in aliases
        if alias.get("Description") == "By which one function asks"
    ]
    assert asking == [
        {
            "Description": "By which one function asks",
            "FunctionName": "<ApprovalRequestFunction>",
            "FunctionVersion": "$LATEST",
            "Name": f"<{name}>",
        }
        for name in ("Refund", "Payout")
    ]


def test_should_let_the_deployment_reach_that_functions_callbacks_and_no_more() -> None:
    stack, alone = any_stack(), any_stack("Alone")
    HitlApproval(alone, "Approval")
    HitlApproval(stack, "Approval").attach(durable(stack))

    before = permissions(template(alone)["Resources"])
    after = permissions(template(stack)["Resources"])

    complete = ("lambda:SendDurableExecutionCallbackSuccess", "<Refund.Arn>:*")
    read = ("lambda:GetDurableExecution", "<Refund.Arn>:*")
    for role in ("ApprovalApprovalRole", "ApprovalSweepRole"):
        assert after[role] - before[role] == {complete, read}
    # Of requests that another of this function's replaces.
    assert after["ApprovalRequestRole"] - before["ApprovalRequestRole"] == {complete}
    for role in ("ApprovalWorkflowRole", "ApprovalPublisherRole"):
        assert after[role] == before[role]


def test_should_let_requests_wait_as_long_as_the_functions_own_execution() -> None:
    stack = any_stack()
    HitlApproval(stack, "Approval").attach(durable(stack))
    longest = environment(stack)[f"HITL_{Env.MAX_APPROVAL_TIMEOUT_SECONDS}"]
    assert longest == str(2 * 86400 - 900)


NAMES = sorted(value for name, value in vars(Env).items() if name.isupper())


THEIRS = {name: f"their {name}" for name in NAMES}


@pytest.mark.parametrize("when", ["before", "after"])
def test_should_leave_the_functions_own_variables_alone(
    when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = any_stack()
    function = durable(stack, environment=THEIRS if when == "before" else {})
    HitlApproval(stack, "Approval").attach(function)
    if when == "after":
        for name, value in THEIRS.items():
            function.add_environment(name, value)

    found = environment(stack)

    assert {name: found[name] for name in NAMES} == THEIRS
    for name, value in found.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "refund")
    settings = Settings.from_environment()
    assert settings.request_function_arn == "<ApprovalRequestFunction.Arn>:refund"
    assert settings.log_level == "INFO"
    assert settings.approval_timeout.total_seconds() == 3600
    # Theirs is not taken for ours.
    assert settings.page_url is None
    assert settings.signing_key_arn is None


def test_should_name_the_variable_that_a_function_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (Env.REQUEST_FUNCTION_ARN, Env.LOG_LEVEL):
        monkeypatch.setenv(f"HITL_{name}", "loud")
    with pytest.raises(RuntimeError, match="variable HITL_LOG_LEVEL must be one of DEBUG"):
        _ = Settings.from_environment().log_level
    with pytest.raises(RuntimeError, match="variable HITL_RESUME_MODE is not set"):
        _ = Settings.from_environment().resume


CLASH = (
    "Embedding/Refund has an environment variable HITL_REQUEST_FUNCTION_ARN of its own, which "
    "attach sets: call yours something else"
)


def test_should_refuse_a_variable_of_ours_that_is_there_already() -> None:
    stack = any_stack()
    function = durable(stack, environment={"HITL_REQUEST_FUNCTION_ARN": "theirs"})
    with pytest.raises(ValueError, match=f"^{CLASH}$"):
        HitlApproval(stack, "Approval").attach(function)


def test_should_refuse_a_variable_of_ours_that_is_replaced_afterwards() -> None:
    stack = any_stack()
    function = durable(stack)
    HitlApproval(stack, "Approval").attach(function)
    function.add_environment("HITL_REQUEST_FUNCTION_ARN", "theirs")
    with pytest.raises(RuntimeError, match=CLASH):
        template(stack)


@pytest.mark.parametrize("flag", [True, False, None], ids=["flag on", "flag off", "no flag"])
def test_should_publish_a_version_when_the_runtime_is_another(
    flag: bool | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def version(digest: str) -> str:
        monkeypatch.setattr(bundling.Sources, "digest", lambda *_: digest * 64)
        stack = Stack(any_app(**{"@aws-cdk/aws-lambda:recognizeLayerVersion": flag}), "Embedding")
        approvals = HitlApproval(stack, "Approval")
        function = durable(stack)
        lambda_.Alias(stack, "Live", alias_name="live", version=function.current_version)
        approvals.attach(function)
        [alias] = [
            alias
            for name, alias in of_type(template(stack)["Resources"], "AWS::Lambda::Alias").items()
            if name.startswith("Live")
        ]
        found: str = alias["FunctionVersion"]["Fn::GetAtt"][0]
        return found

    assert version("a") == version("a") != version("b")


def test_should_attach_a_function_of_another_stack() -> None:
    app = any_app()
    ours, theirs = Stack(app, "Ours"), Stack(app, "Theirs")
    approvals = HitlApproval(ours, "Approval", encryption_key=kms.Key(ours, "Key"))
    approvals.attach(durable(theirs))
    approvals.attach(durable(ours, "Other"))
    for stack in (ours, theirs):
        found = assertions.Template.from_stack(stack)
        found.resource_count_is("AWS::Lambda::LayerVersion", 1)
        assert stack.dependencies == ([] if stack is ours else [ours])


def test_should_satisfy_the_rules_of_cdk_nag() -> None:
    from aws_cdk import Validations

    app = any_app()
    stack = Stack(app, "Embedding")
    HitlApproval(stack, "Approval").attach(durable(stack))
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    Validations.of(stack.node.find_child("Refund")).acknowledge(
        _their_runtime()  # whoever writes the function chooses its runtime
    )
    template(stack)


def _their_runtime() -> Any:
    from aws_cdk import Acknowledgment

    return Acknowledgment(id="AwsSolutions::AwsSolutions-L1", reason="durable: 3.13 or 3.14")


def test_should_leave_the_layer_out_for_a_bundle_that_has_it_all() -> None:
    stack = any_stack()
    HitlApproval(stack, "Approval").attach(durable(stack), layer=False)
    assert not of_type(template(stack)["Resources"], "AWS::Lambda::LayerVersion")


def test_should_offer_the_layer_by_itself() -> None:
    stack = any_stack()
    first, second = HitlApproval(stack, "First"), HitlApproval(stack, "Second")
    assert first.runtime_layer is second.runtime_layer


REFUSED: dict[str, tuple[Callable[[Stack], lambda_.IFunction], str]] = {
    "imported": (
        lambda stack: lambda_.Function.from_function_arn(stack, "Theirs", ARN),
        (
            "attach cannot give Embedding/Theirs its environment, because it is imported: "
            "attach it in the app that defines it"
        ),
    ),
    "an alias": (
        lambda stack: lambda_.Alias(
            stack, "Live", alias_name="live", version=durable(stack).current_version
        ),
        (
            "attach needs the function, Embedding/Live is a version or an alias of it: pass the "
            "function"
        ),
    ),
    "not durable": (
        lambda stack: durable(stack, durable_config=None),
        (
            "Embedding/Refund is not durable and cannot wait: give it durable_config=DurableConfig("
            "execution_timeout=...), which replaces a function that is deployed already"
        ),
    ),
    "a runtime without durable functions": (
        lambda stack: durable(stack, runtime=lambda_.Runtime.PYTHON_3_12, durable_config=None),
        "Embedding/Refund is not durable",
    ),
    "another language": (
        lambda stack: durable(stack, runtime=lambda_.Runtime.NODEJS_24_X),
        (
            "Embedding/Refund runs on nodejs24.x, durable functions in Python on python3.13 or "
            "python3.14: change its runtime"
        ),
    ),
    "a name": (
        lambda _: cast(lambda_.IFunction, "refund"),
        "attach needs a function, got 'refund': pass the lambda_.Function",
    ),
    "too short a life": (
        lambda stack: durable(
            stack, durable_config=lambda_.DurableConfig(execution_timeout=Duration.hours(1))
        ),
        (
            "Embedding/Refund has an execution_timeout of 3600 s, but requests wait for 3600 s by "
            "default: use Duration.seconds(4500) or more"
        ),
    ),
}


@pytest.mark.parametrize("case", list(REFUSED))
def test_should_refuse_a_function_that_could_not_wait(case: str) -> None:
    stack = any_stack()
    make, message = REFUSED[case]
    approvals = HitlApproval(stack, "Approval")
    function = make(stack)
    with pytest.raises(ValueError, match=r"^[A-Za-z]") as refused:
        approvals.attach(function)
    assert str(refused.value).startswith(message)


def test_should_attach_a_function_to_one_deployment_only() -> None:
    stack = any_stack()
    function = durable(stack)
    HitlApproval(stack, "First").attach(function)
    with pytest.raises(ValueError, match="Embedding/Refund is attached already"):
        HitlApproval(stack, "Second").attach(function)
