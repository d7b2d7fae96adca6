"""Whether SES sends mails now: `hitl doctor` says what is missing."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from hitl_approval.adapters.dynamodb import DynamoDbStore
from hitl_approval.testing import World
from tests.anything import any_opening, any_request
from tests.cli.conftest import Hitl
from tests.cli.fake_cloud import FakeCloud
from tests.cli.test_doctor import Fine, delivered, fine, personal

__all__ = ["delivered", "fine"]
SENDER = "approvals@example.com"


class Ses:
    """SES of an account that may send, by its domain."""

    def __init__(self) -> None:
        self.identities = {"example.com": True}
        self.account: dict[str, Any] = {
            "SendingEnabled": True,
            "ProductionAccessEnabled": True,
            "SendQuota": {"Max24HourSend": 200.0, "SentLast24Hours": 3.0},
        }
        self.code = "NotFoundException"

    def get_email_identity(self, EmailIdentity: str) -> dict[str, Any]:  # noqa: N803
        if EmailIdentity not in self.identities:
            raise ClientError({"Error": {"Code": self.code}}, "GetEmailIdentity")
        return {"VerifiedForSendingStatus": self.identities[EmailIdentity]}

    def get_account(self) -> dict[str, Any]:
        return self.account


@pytest.fixture
def ses(fine: Fine, cloud: FakeCloud) -> Ses:
    made = Ses()
    cloud.clients["sesv2"] = made
    cloud.outputs["MailSender"] = SENDER
    return made


def check(hitl: Hitl) -> dict[str, str]:
    result = hitl("doctor", "--json")
    [found] = [c for c in result.json["checks"] if c["name"] == "mail"]
    assert result.status == int(found["state"] == "wrong")
    return dict(found)


def test_should_find_that_ses_sends(hitl: Hitl, ses: Ses) -> None:
    assert check(hitl) == {
        "name": "mail", "state": "ok", "found": f"SES sends as {SENDER}", "fix": "",
    }  # fmt: skip
    ses.identities = {SENDER: True}
    assert check(hitl)["state"] == "ok"


def test_should_not_ask_where_nothing_is_mailed(hitl: Hitl, fine: Fine) -> None:
    assert check(hitl)["state"] == "ok"


@pytest.mark.parametrize("identities", [{}, {SENDER: False}, {"example.com": False}])
def test_should_say_that_the_sender_is_not_verified(
    hitl: Hitl, ses: Ses, identities: dict[str, bool]
) -> None:
    ses.identities = identities
    found = check(hitl)
    assert found["state"] == "wrong"
    assert found["found"] == (f"neither {SENDER} nor example.com is verified in SES in us-east-1")
    assert "aws sesv2 create-email-identity --email-identity example.com" in found["fix"]


@pytest.mark.parametrize(
    ("account", "said"),
    [
        ({"SendingEnabled": False}, "sending is paused in SES"),
        ({"ProductionAccessEnabled": False}, "the account is in SES's sandbox"),
        (
            {"SendQuota": {"Max24HourSend": 200.0, "SentLast24Hours": 200.0}},
            "all 200 mails of a day are sent",
        ),
    ],
)
def test_should_say_what_keeps_ses_from_sending(
    hitl: Hitl, ses: Ses, account: dict[str, Any], said: str
) -> None:
    ses.account |= account
    found = check(hitl)
    assert found["state"] == "wrong"
    assert said in found["found"]
    assert found["fix"]


def test_should_say_all_that_is_missing_at_once(hitl: Hitl, ses: Ses) -> None:
    ses.identities, ses.account["ProductionAccessEnabled"] = {}, False
    assert check(hitl)["found"].count(";") == 1


def test_should_take_a_quota_without_an_end_for_none(hitl: Hitl, ses: Ses) -> None:
    ses.account["SendQuota"] = {"Max24HourSend": -1.0, "SentLast24Hours": 9.0}
    assert check(hitl)["state"] == "ok"


def test_should_not_call_wrong_what_it_may_not_read(hitl: Hitl, ses: Ses) -> None:
    ses.identities, ses.code = {}, "AccessDeniedException"
    assert check(hitl)["state"] == "unknown"


def test_should_not_say_who_cannot_be_reached_where_ses_may_reach_them(
    hitl: Hitl, ses: Ses, delivered: Fine, world: World, tables: DynamoDbStore
) -> None:
    asked = tables.create(any_opening(request=any_request(requester="rita", approvers=["Fay"])))
    world.inbox.add(asked, asked.deciders)
    assert "wait" not in personal(hitl)["found"]
