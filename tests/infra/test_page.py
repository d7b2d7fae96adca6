"""The approval page: throttled, logged without tokens; each approver gets only their own links."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from aws_cdk import CfnParameter, Environment, Fn, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from aws_cdk.aws_apigatewayv2 import HttpNoneAuthorizer
from aws_cdk.aws_apigatewayv2_authorizers import HttpIamAuthorizer, HttpLambdaAuthorizer

from hitl_approval.contract import SIGNED_IN_ROUTES, Env, Handler
from hitl_approval_cdk import ApprovalPage, EmailApprover, HitlApproval, SqsApprover
from tests.infra.synth import any_app, any_stack, of_type, permissions, said, template, text
from tests.infra.test_attach import durable


def test_should_answer_one_route_only(default: Any) -> None:
    routes = of_type(default, "AWS::ApiGatewayV2::Route").values()
    assert {route["RouteKey"] for route in routes} == {
        "GET /a/{token}",
        "HEAD /a/{token}",
        "POST /a/{token}",
    }


def test_should_sign_in_who_comes_to_any_other_route(templates: dict[str, Any]) -> None:
    resources = templates["signed_in"]["Resources"]
    routes = of_type(resources, "AWS::ApiGatewayV2::Route").values()
    signed = {f"{method} {path}" for path, all_ in SIGNED_IN_ROUTES.items() for method in all_}
    found = {route["RouteKey"]: route for route in routes}
    assert set(found) - signed == {f"{method} /a/{{token}}" for method in ("GET", "HEAD", "POST")}
    for key, route in found.items():
        assert route["AuthorizationType"] == ("JWT" if key in signed else "NONE")
    [authorizer] = of_type(resources, "AWS::ApiGatewayV2::Authorizer").values()
    assert authorizer["JwtConfiguration"] == {
        "Audience": ["approvals"],
        "Issuer": "https://issuer.example.com",
    }


def test_should_take_iam_as_a_sign_in() -> None:
    stack = any_stack()
    HitlApproval(stack, "Approval", page=ApprovalPage(sign_in=HttpIamAuthorizer()))
    routes = of_type(template(stack)["Resources"], "AWS::ApiGatewayV2::Route").values()
    kinds = {route["RouteKey"]: route["AuthorizationType"] for route in routes}
    assert kinds["GET /inbox"] == "AWS_IAM"
    assert kinds["GET /a/{token}"] == "NONE"


def test_should_name_who_signs_in_by_the_claim_that_it_is_given() -> None:
    for page, claim in (
        (None, "email"),
        (ApprovalPage(sign_in=HttpIamAuthorizer()), "email"),
        (ApprovalPage(sign_in=HttpIamAuthorizer(), sign_in_claim="upn"), "upn"),
    ):
        stack = any_stack()
        HitlApproval(stack, "Approval", page=page, trust_authorizer=True)
        functions = of_type(template(stack)["Resources"], "AWS::Lambda::Function").values()
        named_by = {
            f["Handler"]: f["Environment"]["Variables"].get(Env.SIGN_IN_CLAIM) for f in functions
        }
        named = {Handler.APPROVAL_API, *([Handler.SIGNED_IN] if page else [])}
        assert {handler for handler, name in named_by.items() if name == claim} == named
        assert set(named_by.values()) == {claim, None}


def test_should_refuse_a_sign_in_that_signs_nobody_in() -> None:
    function = lambda_.Function.from_function_name(any_stack(), "Authorizer", "authorizer")
    for authorizer in (HttpLambdaAuthorizer("SignIn", function), HttpNoneAuthorizer()):
        with pytest.raises(ValueError, match=r"page\.sign_in must sign people in by JWT or IAM"):
            HitlApproval(any_stack(), "Approval", page=ApprovalPage(sign_in=authorizer))


@pytest.mark.parametrize("claim", ["", "e mail", "x" * 129, None])
def test_should_refuse_what_is_no_claim(claim: Any) -> None:
    page = ApprovalPage(sign_in_claim=claim)
    with pytest.raises(ValueError, match=r"page\.sign_in_claim must be the name of a claim"):
        HitlApproval(any_stack(), "Approval", page=page)


def test_should_refuse_a_sign_in_without_what_fills_an_inbox() -> None:
    stack = any_stack()
    audit = dynamodb.Table.from_table_name(stack, "Audit", "audit")
    page = ApprovalPage(sign_in=HttpIamAuthorizer())
    with pytest.raises(ValueError, match=r"page\.sign_in needs an inbox"):
        HitlApproval(stack, "Approval", audit_table=audit, page=page)


def test_should_throttle_and_log_no_path(default: Any) -> None:
    [stage] = of_type(default, "AWS::ApiGatewayV2::Stage").values()
    assert stage["DefaultRouteSettings"] == {"ThrottlingBurstLimit": 40, "ThrottlingRateLimit": 20}
    logged = json.loads(stage["AccessLogSettings"]["Format"])
    assert "$context.routeKey" in logged.values()
    assert not {"$context.path", "$context.requestOverride.path.token"} & set(logged.values())
    assert not any("ath" in value for value in logged.values())


def test_should_send_each_approver_only_what_is_theirs() -> None:
    stack = any_stack()
    queue = sqs.Queue(stack, "Chat")
    HitlApproval(
        stack,
        "Approval",
        page=ApprovalPage(),
        deliver_to=[EmailApprover("Ann@example.com"), SqsApprover("Bob  Builder", queue)],
    )
    resources = template(stack)["Resources"]
    personal = {
        text(s["Endpoint"]): s
        for s in of_type(resources, "AWS::SNS::Subscription").values()
        if text(s["TopicArn"]) == "<ApprovalPagePersonalTopic>"
    }
    assert personal["Ann@example.com"]["FilterPolicy"] == {"approver": ["ann@example.com"]}
    assert personal["<Chat.Arn>"]["FilterPolicy"] == {"approver": ["bob builder"]}
    policies = of_type(resources, "AWS::SQS::QueuePolicy").values()
    [sending] = [p for p in policies if "sns.amazonaws.com" in str(p)]
    assert "ApprovalPagePersonalTopic" in str(sending["PolicyDocument"]["Statement"])


def delivered(
    approvers: Sequence[SqsApprover | EmailApprover], stack: Stack, **options: Any
) -> dict[str, Any]:
    HitlApproval(stack, "Approval", page=ApprovalPage(), deliver_to=approvers, **options)
    found: dict[str, Any] = template(stack)["Resources"]
    return found


def key_users(resources: Any) -> list[dict[str, Any]]:
    """Statements by which SNS may use a customer's key."""
    return [
        statement
        for key in of_type(resources, "AWS::KMS::Key").values()
        for statement in key["KeyPolicy"]["Statement"]
        if statement["Principal"] == {"Service": "sns.amazonaws.com"}
    ]


@pytest.mark.parametrize("flag", [True, False])
def test_should_let_sns_use_the_key_of_a_queue(flag: bool) -> None:
    app = any_app(**{"@aws-cdk/aws-sns-subscriptions:restrictSqsDescryption": flag})
    stack = Stack(app, "Embedding")
    queue = sqs.Queue(stack, "Chat", encryption_master_key=kms.Key(stack, "Key"))
    [statement] = key_users(delivered([SqsApprover("bob", queue)], stack))
    assert statement["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]
    source = statement["Condition"]["ArnLike"]["aws:SourceArn"]
    assert text(source) == "<ApprovalPagePersonalTopic>"


@pytest.mark.parametrize("where", ["the deployment's", "another stack's"])
def test_should_make_no_circle_of_a_queues_key(where: str) -> None:
    app = any_app()
    stack = Stack(app, "Embedding")
    key = kms.Key(stack if where == "the deployment's" else Stack(app, "Keys"), "Key")
    queue = sqs.Queue(stack, "Chat", encryption_master_key=key)
    # Template.from_stack refuses a circle within a stack, CDK one between two.
    delivered([SqsApprover("bob", queue)], stack, encryption_key=key)
    [statement] = key_users(template(Stack.of(key))["Resources"])
    source = text(statement["Condition"]["ArnLike"]["aws:SourceArn"])
    assert source == "arn:<AWS::Partition>:sns:<AWS::Region>:<AWS::AccountId>:*"


def test_should_subscribe_a_queue_once_for_all_who_share_it() -> None:
    stack = any_stack()
    queue = sqs.Queue(stack, "Chat")
    resources = delivered([SqsApprover("Ann", queue), SqsApprover("bob", queue)], stack)
    [subscription] = of_type(resources, "AWS::SNS::Subscription").values()
    assert subscription["FilterPolicy"] == {"approver": ["ann", "bob"]}
    [policy] = [p for p in of_type(resources, "AWS::SQS::QueuePolicy").values() if "sns" in str(p)]
    assert len(policy["PolicyDocument"]["Statement"]) == 1


def test_should_deliver_to_a_queue_of_another_stack() -> None:
    app = any_app()
    stack, chat = Stack(app, "Embedding"), Stack(app, "Chat")
    key = kms.Key(chat, "Key")
    queue = sqs.Queue(chat, "Queue", encryption_master_key=key)
    delivered([SqsApprover("bob", queue)], stack)
    assert chat.dependencies == [stack]
    resources = template(chat)["Resources"]
    [subscription] = of_type(resources, "AWS::SNS::Subscription").values()
    assert subscription["FilterPolicy"] == {"approver": ["bob"]}
    assert len(key_users(resources)) == 1


def test_should_warn_of_an_imported_queue_whose_policies_nobody_here_makes() -> None:
    stack = any_stack()
    arn = "arn:aws:sqs:eu-central-1:123456789012:chat"
    delivered([SqsApprover("bob", sqs.Queue.from_queue_arn(stack, "Chat", arn))], stack)
    [(path, text)] = said(stack)
    assert path == "Embedding/Approval/Page"
    assert "must allow sns.amazonaws.com sqs:SendMessage" in text


def test_should_deliver_to_as_many_as_there_are() -> None:
    people = [EmailApprover(f"p{number}@example.com") for number in range(25)]
    resources = delivered(people, any_stack())
    assert len(of_type(resources, "AWS::SNS::Subscription")) == 25


def test_should_mail_an_address_that_only_cloudformation_knows() -> None:
    stack = any_stack()
    address = CfnParameter(stack, "Address").value_as_string
    resources = delivered([EmailApprover(address, name="Ann")], stack)
    [subscription] = of_type(resources, "AWS::SNS::Subscription").values()
    assert subscription["Endpoint"] == {"Ref": "Address"}
    assert subscription["FilterPolicy"] == {"approver": ["ann"]}


BERLIN = Environment(account="111111111111", region="eu-central-1")
QUEUES: dict[str, tuple[Callable[[Stack], sqs.IQueue], str]] = {
    "the key that AWS manages": (
        lambda stack: sqs.Queue(stack, "Chat", encryption=sqs.QueueEncryption.KMS_MANAGED),
        (
            "deliver_to: Berlin/Chat is encrypted with the key that AWS manages for SQS, which SNS "
            "can never use: use QueueEncryption.SQS_MANAGED, or KMS with a key of yours"
        ),
    ),
    "first in, first out": (
        lambda stack: sqs.Queue(stack, "Chat", fifo=True),
        "deliver_to: Berlin/Chat is a FIFO queue, which takes no links: use a standard queue",
    ),
    "another account": (
        lambda stack: sqs.Queue.from_queue_arn(
            stack, "Chat", "arn:aws:sqs:eu-central-1:222222222222:chat"
        ),
        (
            "deliver_to: Berlin/Chat is in account 222222222222, the page in 111111111111: use a "
            "queue there"
        ),
    ),
    "another region": (
        lambda stack: sqs.Queue.from_queue_arn(
            stack, "Chat", "arn:aws:sqs:us-east-1:111111111111:chat"
        ),
        (
            "deliver_to: Berlin/Chat is in region us-east-1, the page in eu-central-1: use a queue "
            "there"
        ),
    ),
}


@pytest.mark.parametrize("case", list(QUEUES))
def test_should_refuse_a_queue_that_no_link_could_reach(case: str) -> None:
    make, message = QUEUES[case]
    stack = Stack(any_app(), "Berlin", env=BERLIN)
    queue = make(stack)
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        delivered([SqsApprover("bob", queue)], stack)


def test_should_lead_where_a_domain_of_ones_own_leads() -> None:
    stack = any_stack()
    page = ApprovalPage(url="https://approve.example.com", requests_per_second=5, burst=9)
    approvals = HitlApproval(stack, "Approval", page=page)
    assert approvals.page is not None
    functions = of_type(template(stack)["Resources"], "AWS::Lambda::Function").values()
    urls = {f["Environment"]["Variables"].get(Env.PAGE_URL) for f in functions}
    assert urls == {"https://approve.example.com", None}


def test_should_let_the_page_resume_attached_functions() -> None:
    stack = any_stack()
    HitlApproval(stack, "Approval", page=ApprovalPage()).attach(durable(stack))
    found = permissions(template(stack)["Resources"])
    complete = ("lambda:SendDurableExecutionCallbackSuccess", "<Refund.Arn>:*")
    assert complete in found["ApprovalPageRole"]
    assert ("sns:Publish", "<ApprovalPagePersonalTopic>") in found["RefundRole"]


def test_should_have_no_page_unless_asked() -> None:
    stack = any_stack()
    HitlApproval(stack, "Approval")
    assert not of_type(template(stack)["Resources"], "AWS::ApiGatewayV2::Api")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"deliver_to": [EmailApprover("ann@example.com")]},
            "deliver_to needs a page that personal links lead to: pass page=ApprovalPage()",
        ),
        (
            {"page": ApprovalPage(), "deliver_to": [EmailApprover("ann")]},
            "deliver_to must be addresses like ann@example.com, got 'ann'",
        ),
        (
            {
                "page": ApprovalPage(),
                "deliver_to": [EmailApprover("a@example.com"), EmailApprover("A@example.com")],
            },
            "deliver_to: names 'A@example.com' twice",
        ),
        (
            {"page": ApprovalPage(), "deliver_to": ["ann@example.com"]},
            "deliver_to must be a list of EmailApprover and SqsApprover, got ['ann@example.com']",
        ),
        (
            {"page": ApprovalPage(), "deliver_to": [EmailApprover(Fn.ref("Address"))]},
            (
                "deliver_to must name approvers at synth, or their links could not be kept apart, "
                "got a token: use EmailApprover(address, name="
            ),
        ),
    ],
)
def test_should_refuse_deliveries_that_cannot_work(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=r"^deliver_to") as refused:
        HitlApproval(any_stack(), "Approval", **options)
    assert str(refused.value).startswith(message)
