"""SES: one mail to one person, its refusals in words, and what comes back by its events."""

from __future__ import annotations

import email.policy
from collections.abc import Iterator
from email import message_from_bytes
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError
from botocore.stub import ANY, Stubber
from moto import mock_aws

from hitl_approval.adapters.ses import SesNotifier, returned_of
from hitl_approval.domain.errors import Unanswered, Unavailable, Undeliverable
from hitl_approval.domain.notification import approval_needed
from hitl_approval.domain.returned import Returned
from hitl_approval.domain.sender import Sender
from tests.anything import any_approval
from tests.environment import CREDENTIALS
from tests.unit.adapters.failing import Failing
from tests.unit.mail.mailed import ANN, LINK, asked, asking

SENDER = Sender(address="approvals@example.org", name="Approvals", configuration_set="returned")


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    with mock_aws():
        made = boto3.client("sesv2", region_name="us-east-1")
        made.create_email_identity(EmailIdentity="example.org")
        yield made


def test_should_send_the_mail_to_its_one_person(client: Any) -> None:
    notifier = SesNotifier(client=client, sender=SENDER)
    with Stubber(client) as stub:
        stub.add_response(
            "send_email",
            {"MessageId": "0100-1"},
            {
                "FromEmailAddress": "approvals@example.org",
                "Destination": {"ToAddresses": [ANN]},
                "Content": {"Raw": {"Data": ANY}},
                "EmailTags": [{"Name": "approval_id", "Value": "approval-1"}],
                "ConfigurationSetName": "returned",
            },
        )
        assert notifier.publish(asking(asked())) == "0100-1"


def test_should_be_taken_by_ses_as_moto_has_it(client: Any) -> None:
    sender = Sender(address="approvals@example.org", name="Approvals")
    assert SesNotifier(client=client, sender=sender).publish(asking(asked()))


def test_should_bring_the_link_in_the_bytes_that_are_sent() -> None:
    sent: list[dict[str, Any]] = []

    class Client:
        def send_email(self, **request: Any) -> dict[str, str]:
            sent.append(request)
            return {"MessageId": "1"}

    SesNotifier(client=Client(), sender=SENDER).publish(asking(asked()))
    mail = message_from_bytes(sent[0]["Content"]["Raw"]["Data"], policy=email.policy.default)
    body = mail.get_body(("plain",))
    assert body is not None
    assert LINK in body.get_content()
    assert mail["To"] == ANN


def test_should_send_nothing_that_is_for_everybody() -> None:
    notifier = SesNotifier(client=Failing(AssertionError("sent")), sender=SENDER)
    with pytest.raises(RuntimeError, match="for one person"):
        notifier.publish(approval_needed(any_approval()))


def refused(code: str, status: int = 400) -> ClientError:
    answer: Any = {
        "Error": {"Code": code, "Message": "Email address is not verified: secret"},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(answer, "SendEmail")


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("MessageRejected", "the sender is not verified there"),
        ("MailFromDomainNotVerifiedException", "MAIL FROM domain is not verified"),
        ("SendingPausedException", "sending is paused in SES"),
        ("AccountSuspendedException", "has suspended sending"),
        ("LimitExceededException", "as many mails as SES lets it"),
        ("NotFoundException", "does not know the configuration set"),
        ("AccessDeniedException", "may not send as this sender"),
    ],
)
def test_should_say_in_words_what_somebody_can_put_right(code: str, reason: str) -> None:
    notifier = SesNotifier(client=Failing(refused(code)), sender=SENDER)
    with pytest.raises(Unavailable, match=reason) as raised:
        notifier.publish(asking(asked()))
    assert not isinstance(raised.value, Unanswered)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (refused("TooManyRequestsException", 429), Unavailable),
        (refused("ThrottlingException"), Unavailable),
        (refused("InternalFailure", 500), Unanswered),
        (ReadTimeoutError(endpoint_url="https://ses"), Unanswered),
        (ConnectionClosedError(endpoint_url="https://ses"), Unanswered),
    ],
)
def test_should_be_tried_again(error: Exception, kind: type[Exception]) -> None:
    with pytest.raises(Unavailable) as raised:
        SesNotifier(client=Failing(error), sender=SENDER).publish(asking(asked()))
    assert type(raised.value) is kind


def test_should_not_be_tried_again_where_the_address_is_none() -> None:
    notifier = SesNotifier(client=Failing(refused("BadRequestException")), sender=SENDER)
    with pytest.raises(Undeliverable, match="does not take the address"):
        notifier.publish(asking(asked()))


def event(kind: str = "Bounce", **more: Any) -> dict[str, Any]:
    return {
        "eventType": kind,
        "mail": {
            "messageId": "0100-1",
            "destination": [ANN],
            "tags": {"approval_id": ["approval-1"], "ses:configuration-set": ["returned"]},
        },
        "bounce": {"bounceType": "Permanent", "bounceSubType": "General"},
        "complaint": {"complaintFeedbackType": "abuse"},
        **more,
    }


@pytest.mark.parametrize(
    ("bounce", "arrived", "reason"),
    [
        (("Permanent", "General"), False, "the mail server rejected the mail for good"),
        (("Permanent", "NoEmail"), False, "there is no such mailbox"),
        (
            ("Permanent", "OnAccountSuppressionList"),
            False,
            "the address is on SES's suppression list",
        ),
        (
            ("Transient", "General"),
            True,
            "the mail server did not take the mail for now, or answers automatically",
        ),
        (("Transient", "MailboxFull"), True, "the mailbox is full"),
        (("Undetermined", "Undetermined"), False, "the mail server did not take the mail"),
    ],
)
def test_should_say_why_a_mail_came_back(
    bounce: tuple[str, str], arrived: bool, reason: str
) -> None:
    said = {"bounceType": bounce[0], "bounceSubType": bounce[1], "diagnosticCode": "<b>evil</b>"}
    assert returned_of(event(bounce=said)) == Returned(
        approval_id="approval-1", receipt="0100-1", reason=reason, arrived=arrived
    )


def test_should_say_what_else_becomes_of_mails() -> None:
    complaint, reject = returned_of(event("Complaint")), returned_of(event("Reject"))
    assert complaint
    assert reject
    assert (complaint.arrived, "unwanted" in complaint.reason) == (True, True)
    assert (reject.arrived, "harmful" in reject.reason) == (False, True)


@pytest.mark.parametrize(
    "detail",
    [
        None,
        [],
        {},
        event("Delivery"),
        event(mail={"messageId": "1", "tags": {}}),
        event(mail={"messageId": 1, "tags": {"approval_id": ["approval-1"]}}),
        event(mail={"messageId": "1", "tags": {"approval_id": ["a", "b"]}}),
        event(mail={"messageId": "1", "tags": {"approval_id": ["../other"]}}),
        event(bounce=None) | {"bounce": None, "mail": None},
    ],
)
def test_should_pass_what_is_of_no_mail_of_ours(detail: Any) -> None:
    assert returned_of(detail) is None
