"""`hitl local inbox`: who is added to the pool, and where the link leads."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from hitl_approval_cli.commands.local import inbox, place
from hitl_approval_cli.local import LocalCloudError
from tests.cli.conftest import Hitl

URL = "http://abc.execute-api.localhost:1"


class Pool:
    """A user pool, as far as it is asked."""

    class Exists(Exception):  # noqa: N818  named as Cognito's is
        """There is somebody of this name."""

    class Invalid(Exception):  # noqa: N818  named as Cognito's is
        """No address."""

    exceptions = SimpleNamespace(UsernameExistsException=Exists, InvalidParameterException=Invalid)

    def __init__(self) -> None:
        self.people: dict[str, dict[str, str]] = {}

    def admin_create_user(self, **asked: Any) -> None:
        assert (asked["UserPoolId"], asked["MessageAction"]) == ("us-east-1_abc", "SUPPRESS")
        name = asked["Username"]
        if "@" not in name:
            raise self.Invalid
        if name in self.people:
            raise self.Exists
        self.people[name] = {each["Name"]: each["Value"] for each in asked["UserAttributes"]}


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A local cloud with a user pool, and what its link was made for."""
    made = SimpleNamespace(pool=Pool(), invited=[], stacks=["app"], outputs=[])

    def client(service: str, endpoint_url: str) -> Any:
        assert endpoint_url == "http://127.0.0.1:1"
        described = {"Stacks": [{"StackName": "app", "Outputs": made.outputs}]}
        cloudformation = SimpleNamespace(describe_stacks=lambda StackName: described)  # noqa: N803
        return {"cognito-idp": made.pool, "cloudformation": cloudformation}[service]

    monkeypatch.setattr("boto3.Session", lambda *_, **__: SimpleNamespace(client=client))
    environment = {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
    }
    running = {"environment": environment, "stacks": made.stacks}
    monkeypatch.setattr(place, "running", lambda _: running)

    def invite(given: Any, **how: str) -> str:
        assert given == environment
        made.invited.append(how)
        return "http://127.0.0.1:1/_hitl/people/ticket"

    monkeypatch.setattr(inbox, "invite_person", invite)
    return made


def deployed(cloud: SimpleNamespace, **outputs: str) -> None:
    cloud.outputs += [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()]


def signing_in(cloud: SimpleNamespace) -> None:
    issuer = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_abc"
    deployed(cloud, SignInIssuer=issuer, SignInClientId="client", PageUrl=URL)


def test_should_add_who_is_not_there_and_print_a_link(hitl: Hitl, cloud: SimpleNamespace) -> None:
    signing_in(cloud)
    for _ in range(2):
        done = hitl("local", "inbox", "--as", "ann@example.com")
        assert (done.status, done.out) == (0, "http://127.0.0.1:1/_hitl/people/ticket\n")
    assert cloud.invited[0] == {
        "pool": "us-east-1_abc",
        "name": "ann@example.com",
        "leads_to": f"{URL}/inbox",
    }
    verified = {"email": "ann@example.com", "email_verified": "true"}
    assert cloud.pool.people == {"ann@example.com": verified}


def test_should_open_it_where_there_is_a_browser(
    hitl: Hitl, cloud: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    signing_in(cloud)
    opened: list[str] = []
    for there in (True, False):

        def browse(link: str, found: bool = there) -> bool:
            opened.append(link)
            return found

        monkeypatch.setattr("webbrowser.open", browse)
        done = hitl("local", "inbox", "--as", "ann@example.com", "--open")
        assert ("There is no browser here" in done.err) is not there
    assert len(opened) == 2


@pytest.mark.parametrize("issuer", [None, "https://issuer.example.com"])
def test_should_say_where_nobody_can_sign_in(
    hitl: Hitl, cloud: SimpleNamespace, issuer: str | None
) -> None:
    deployed(cloud, PageUrl=URL, **({"SignInIssuer": issuer} if issuer else {}))
    done = hitl("local", "inbox", "--as", "ann@example.com")
    assert done.status != 0
    assert "run `hitl local up -c sign_in=cognito`" in done.err
    assert cloud.invited == []


def test_should_refuse_what_is_no_address(hitl: Hitl, cloud: SimpleNamespace) -> None:
    signing_in(cloud)
    done = hitl("local", "inbox", "--as", "ann")
    assert done.status == 2
    assert "--as: must be an address like ann@example.com, got 'ann'" in done.err


def test_should_say_that_the_local_cloud_does_not_answer(
    hitl: Hitl, cloud: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    signing_in(cloud)

    def gone(*_: Any, **__: Any) -> str:
        raise LocalCloudError("the local cloud does not answer")

    monkeypatch.setattr(inbox, "invite_person", gone)
    done = hitl("local", "inbox", "--as", "ann@example.com")
    assert (done.status != 0, "the local cloud does not answer" in done.err) == (True, True)
