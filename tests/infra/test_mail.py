"""Mails by SES: as one sender, with one configuration set; what comes back is noted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, CfnParameter, Stack
from aws_cdk import aws_ses as ses
from aws_cdk import aws_sqs as sqs

from hitl_approval.adapters.ses import APPROVAL_TAG
from hitl_approval.contract import DIRECTORY_FILE, SES_EVENT_TYPES, SES_EVENTS, Env, Handler, Output
from hitl_approval.domain.delivery import Address
from hitl_approval.settings import Settings
from hitl_approval_cdk import ApprovalPage, EmailApprover, HitlApproval, SesMail, SqsApprover
from hitl_approval_cdk.stack import HitlApprovalStack
from tests.infra.synth import any_app, any_stack, functions, of_type, said, template, text

SENDER = "approvals@example.com"
SET = "<ApprovalMailConfigurationSet>"
ARN = "arn:<AWS::Partition>:ses:<AWS::Region>:<AWS::AccountId>"


def deployed(mail: SesMail | None = None, **options: Any) -> tuple[Stack, dict[str, Any]]:
    stack = any_stack()
    mail = mail or SesMail(sender=SENDER)
    HitlApproval(stack, "Approval", page=ApprovalPage(), mail=mail, **options)
    return stack, template(stack)["Resources"]


def sending(resources: dict[str, Any]) -> list[dict[str, Any]]:
    """Every statement that allows something with SES, and whose role that is."""
    return [
        {**statement, "Role": text(policy["Roles"][0])}
        for policy in of_type(resources, "AWS::IAM::Policy").values()
        for statement in policy["PolicyDocument"]["Statement"]
        if "ses:" in str(statement["Action"])
    ]


def test_should_let_the_messenger_alone_send_as_this_sender_alone() -> None:
    _, resources = deployed()
    [statement] = sending(resources)
    assert statement["Role"] == "<ApprovalMessengerRole>"
    assert set(statement["Action"]) == {"ses:SendEmail", "ses:SendRawEmail"}
    assert {text(arn) for arn in statement["Resource"]} == {
        f"{ARN}:identity/{SENDER}",
        f"{ARN}:identity/example.com",
        f"{ARN}:configuration-set/{SET}",
    }
    assert statement["Condition"] == {"StringEquals": {"ses:FromAddress": SENDER}}
    assert "*" not in json.dumps(statement)


def test_should_send_by_the_identity_and_the_set_that_are_brought() -> None:
    stack = any_stack()
    mail = SesMail(
        sender=SENDER,
        identity=ses.EmailIdentity.from_email_identity_name(stack, "Identity", "example.com"),
        configuration_set=ses.ConfigurationSet.from_configuration_set_name(stack, "Set", "ours"),
    )
    HitlApproval(stack, "Approval", page=ApprovalPage(), mail=mail)
    resources = template(stack)["Resources"]
    [statement] = sending(resources)
    assert {text(arn) for arn in statement["Resource"]} == {
        f"{ARN}:identity/example.com",
        f"{ARN}:configuration-set/ours",
    }
    assert not of_type(resources, "AWS::SES::ConfigurationSet")
    [destination] = of_type(resources, "AWS::SES::ConfigurationSetEventDestination").values()
    assert destination["ConfigurationSetName"] == "ours"


def test_should_demand_tls_since_a_link_is_a_secret() -> None:
    _, resources = deployed()
    [made] = of_type(resources, "AWS::SES::ConfigurationSet").values()
    assert made["DeliveryOptions"] == {"TlsPolicy": "REQUIRE"}
    assert "TrackingOptions" not in made


def test_should_bring_to_the_messenger_what_comes_back() -> None:
    _, resources = deployed()
    [destination] = of_type(resources, "AWS::SES::ConfigurationSetEventDestination").values()
    said = destination["EventDestination"]
    assert {kind.lower() for kind in said["MatchingEventTypes"]} == {
        kind.lower() for kind in SES_EVENT_TYPES
    }
    assert text(said["EventBridgeDestination"]["EventBusArn"]).endswith("event-bus/default")
    [rule] = [r for n, r in of_type(resources, "AWS::Events::Rule").items() if "Returned" in n]
    pattern = rule["EventPattern"]
    assert pattern["source"] == [SES_EVENTS]
    assert pattern["detail"]["eventType"] == list(SES_EVENT_TYPES)
    [used] = pattern["detail"]["mail"]["tags"]["ses:configuration-set"]
    assert text(used) == SET
    [target] = rule["Targets"]
    assert text(target["Arn"]) == "<ApprovalMessengerFunction.Arn>"
    assert APPROVAL_TAG == "approval_id"


def test_should_be_read_by_the_runtime_as_it_was_meant() -> None:
    mail = SesMail(sender=SENDER, name="B\u00fccher", reply_to="desk@example.com")
    _, resources = deployed(mail)
    made = functions(resources)[Handler.MESSENGER]["Environment"]["Variables"]
    read = Settings(values={name: text(value) for name, value in made.items()}).mail
    assert read
    assert (read.address, read.name, read.reply_to) == (SENDER, mail.name, "desk@example.com")
    assert read.configuration_set == SET
    others = [f for handler, f in functions(resources).items() if handler != Handler.MESSENGER]
    assert not any(Env.MAIL in f["Environment"]["Variables"] for f in others)


def test_should_reach_addresses_by_ses_and_queues_by_the_topic() -> None:
    app: App = any_app()
    stack = Stack(app, "Embedding")
    HitlApproval(
        stack,
        "Approval",
        page=ApprovalPage(),
        mail=SesMail(sender=SENDER),
        deliver_to=[
            EmailApprover("ann@example.org", name="ann"),
            SqsApprover("bot@example.com", sqs.Queue(stack, "Queue")),
        ],
    )
    resources = template(stack)["Resources"]
    protocols = [s["Protocol"] for s in of_type(resources, "AWS::SNS::Subscription").values()]
    assert protocols == ["sqs"]
    [file] = Path(app.synth().directory).glob(f"asset.*/python/{DIRECTORY_FILE}")
    known = Settings(values={Env.DIRECTORY: str(file)}).directory
    assert list(known.channels_of("ann")) == [Address("ses", "ann@example.org")]
    assert list(known.channels_of("bot@example.com")) == [Address("sns", "bot@example.com")]
    assert list(known.channels_of("new@example.com")) == [Address("ses", "new@example.com")]
    assert list(known.channels_of("cid")) == [Address("sns", "cid")]


def test_should_mail_to_a_whole_company() -> None:
    people = [EmailApprover(f"p{number}@example.com") for number in range(1_000)]
    _, resources = deployed(deliver_to=people)
    assert not of_type(resources, "AWS::SNS::Subscription")


def test_should_say_who_mails_are_from() -> None:
    stack = HitlApprovalStack(any_app(), "Approvals", mail=SesMail(sender=SENDER))
    assert template(stack)["Outputs"][Output.MAIL_SENDER]["Value"] == SENDER
    without = HitlApprovalStack(any_app(), "Approvals")
    assert Output.MAIL_SENDER not in template(without)["Outputs"]


def test_should_not_warn_that_nobody_is_notified() -> None:
    stack, _ = deployed(approvers=["ann@example.com"])
    assert said(stack) == []


@pytest.mark.parametrize(
    ("mail", "message"),
    [
        ({"sender": "nobody"}, "mail.sender must be an e-mail address"),
        ({"sender": "A <a@example.com>"}, "mail.sender must be an e-mail address"),
        ({"sender": "a@example.com\r\nBcc: b@example.com"}, "mail.sender must be an e-mail"),
        ({"sender": 1}, "mail.sender must be an e-mail address"),
        ({"reply_to": "nobody"}, "mail.reply_to must be an e-mail address"),
        ({"name": ""}, "mail.name: must not be empty"),
        ({"name": "a\r\nb"}, "mail.name: must not contain control characters"),
        ({"name": "a" * 65}, "mail.name: must be at most 64 characters"),
        ({"identity": "example.com"}, "mail.identity must be one of CDK's"),
        ({"configuration_set": "ours"}, "mail.configuration_set must be one of CDK's"),
    ],
)
def test_should_refuse_what_cannot_send(mail: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SesMail(**{"sender": SENDER} | mail)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mail": "approvals@example.com"}, "mail must be"),
        ({"mail": SesMail(sender=SENDER), "page": None}, "mail needs a page"),
        (
            {
                "mail": SesMail(sender=SENDER),
                "deliver_to": [EmailApprover("a@\u00fc.de", "a")],
            },
            "deliver_to: .* must be an address that is known at synth and in ASCII",
        ),
    ],
)
def test_should_refuse_what_cannot_work_together(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        HitlApproval(any_stack(), "Approval", **{"page": ApprovalPage()} | options)


def test_should_refuse_a_token_as_the_sender() -> None:
    parameter = CfnParameter(any_stack(), "Sender")
    with pytest.raises(ValueError, match="known at synth"):
        SesMail(sender=parameter.value_as_string)
