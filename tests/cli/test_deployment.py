"""Which deployment `--stack` means, what AWS refuses, and -v."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError

from hitl_approval.testing import World
from hitl_approval_cli.deployment import Deployment
from tests.anything import any_opening

from .conftest import Hitl
from .fake_cloud import OUTPUTS, FakeCloud

STACK = "hitl-approval"


def embedded(name: str, code: str) -> dict[str, str]:
    return {f"{name}{key}{code}": value for key, value in OUTPUTS.items()}


def elsewhere(name: str) -> dict[str, str]:
    """A deployment that is not the one in memory."""
    return {f"{name}{key}0123ABCD": "another" for key in OUTPUTS}


@pytest.fixture
def pending(world: World) -> str:
    return world.store.create(any_opening(now=world.clock.now())).approval_id


@pytest.mark.parametrize(
    ("outputs", "stack"),
    [
        ({"Url": "https://example.com", **OUTPUTS}, STACK),
        (embedded("Approvals", "1A2B3C4D"), STACK),
        (embedded("Approvals", "1A2B3C4D"), f"{STACK}/Approvals"),
        (embedded("PaymentsSignOff", "1A2B3C4D"), f"{STACK}/Payments/Sign-Off"),
        (embedded("Approvals", "1A2B3C4D") | elsewhere("Releases"), f"{STACK}/Approvals"),
        (OUTPUTS | elsewhere("Releases"), STACK),
        ({"OtherWorkflowFunctionArn": "not ours", **embedded("A", "1A2B3C4D")}, STACK),
    ],
    ids=[
        "the stack's own",
        "the only one",
        "the only one, by name",
        "by its path",
        "one of two",
        "the stack's own beside another",
        "beside somebody's output",
    ],
)
def test_should_find_the_deployment(
    hitl: Hitl, cloud: FakeCloud, pending: str, outputs: dict[str, str], stack: str
) -> None:
    cloud.outputs = outputs
    result = hitl("list", "--stack", stack)
    assert pending in result.out, result.err
    assert hitl("submit", "--subject", "Q4", "--stack", stack).status == 0
    assert len(cloud.started) == 1


TWO = elsewhere("Approvals") | elsewhere("Releases")
BOTH = f"--stack {STACK}/Approvals or --stack {STACK}/Releases"


def nest(cloud: FakeCloud, **nested: dict[str, str]) -> None:
    """Stacks in the stack, which itself holds nothing of ours."""
    cloud.outputs, cloud.nested = {"Url": "https://example.com"}, nested
    cloud.template = {name: {"Type": "AWS::CloudFormation::Stack"} for name in nested}
    cloud.template |= {"Topic": {"Type": "AWS::SNS::Topic"}}
    cloud.physical = {name: name for name in nested}


@pytest.mark.parametrize("stack", [STACK, f"{STACK}/Approvals"])
def test_should_find_the_deployment_of_a_nested_stack(
    hitl: Hitl, cloud: FakeCloud, pending: str, stack: str
) -> None:
    nest(cloud, Data={"TableName": "theirs"}, Approval=embedded("Approvals", "1A2B3C4D"))
    result = hitl("list", "--stack", stack)
    assert pending in result.out, result.err


def test_should_say_how_to_tell_two_of_one_name_apart(hitl: Hitl, cloud: FakeCloud) -> None:
    nest(cloud, One=embedded("Approvals", "1A2B3C4D"), Two=elsewhere("Approvals"))
    result = hitl("list", "--stack", STACK)
    assert result.err == (
        f"hitl: two stacks nested in {STACK} hold a deployment {STACK}/Approvals: pass --stack "
        "with the name of the nested stack (ALIKE)\n"
    )


@pytest.mark.parametrize(
    ("outputs", "stack", "message"),
    [
        (TWO, STACK, f"stack {STACK} holds 2 deployments: pass {BOTH} (SEVERAL_DEPLOYMENTS)"),
        (
            TWO,
            f"{STACK}/Payments",
            f"stack {STACK} holds no deployment Payments: pass {BOTH} (NO_DEPLOYMENT)",
        ),
        (
            {"Url": "https://example.com"},
            STACK,
            f"stack {STACK} holds no deployment: is it a hitl-approval stack? (NOT_A_HITL_STACK)",
        ),
        (
            embedded("AB", "00000000") | embedded("AB", "11111111"),
            f"{STACK}/A-B",
            f"stack {STACK} holds two deployments with one name (AB): rename a construct (ALIKE)",
        ),
    ],
    ids=["several", "another name", "none", "names alike"],
)
def test_should_say_in_one_line_which_there_are(
    hitl: Hitl, cloud: FakeCloud, outputs: dict[str, str], stack: str, message: str
) -> None:
    cloud.outputs = outputs
    refused = hitl("list", "--stack", stack)
    assert (refused.status, refused.out, refused.err) == (1, "", f"hitl: {message}\n")


def client_error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "secret"}}, "DescribeStacks")


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (NoCredentialsError(), "no AWS credentials: run `aws configure`"),
        (client_error("ExpiredToken"), "the AWS credentials have expired: sign in again"),
        (client_error("AccessDenied"), "AWS refused DescribeStacks: check the credentials'"),
        (client_error("Throttling"), "AWS does not take DescribeStacks now: try again in a moment"),
        (EndpointConnectionError(endpoint_url="x"), "AWS cannot be reached: check the network"),
    ],
)
def test_should_say_in_one_line_why_aws_did_not_answer(
    hitl: Hitl, cloud: FakeCloud, error: Exception, line: str
) -> None:
    cloud.error = error
    result = hitl("list")
    assert (result.status, result.out) == (1, "")
    assert result.err.startswith(f"hitl: {line}")
    assert len(result.err.splitlines()) == 1


def test_should_tell_each_call_and_nothing_of_what_was_sent(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from moto import mock_aws

    with mock_aws():
        deployment = Deployment("hitl-approval", "us-east-1", verbose=True)
        deployment.client("sts").get_caller_identity()
    printed = capsys.readouterr()
    assert printed.err == "sts GetCallerIdentity: 200\n"
    assert printed.out == ""
