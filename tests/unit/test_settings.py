"""The functions' environment: read strictly, refused by the variable's name."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from hitl_approval.contract import ATTACHED_PREFIX, EMAIL_CLAIM
from hitl_approval.domain.delivery import Directory
from hitl_approval.domain.organization import Organization
from hitl_approval.settings import Settings
from tests.environment import ENVIRONMENT, EXTRAS, SIGN_IN


def settings(**variables: str) -> Settings:
    return Settings(values={**ENVIRONMENT, **variables})


def test_should_read_what_a_deployment_sets(tmp_path: Path) -> None:
    groups = tmp_path / "groups.json"
    groups.write_text('{"leads": ["ann"]}')
    found = settings(**EXTRAS, **SIGN_IN, APPROVER_GROUPS=str(groups), DEFAULT_APPROVERS='["bob"]')
    assert found.approvals_table_name == "test-ApprovalRequests"
    assert (found.approval_timeout, found.retention) == (timedelta(hours=1), timedelta(days=30))
    assert (found.groups, found.default_approvers) == ({"leads": ("ann",)}, ("bob",))
    assert found.named_people == ("bob", "ann")
    assert Settings(values={}).named_people == ()
    assert (found.resume, found.poll_interval) == ("callback", timedelta(seconds=5))
    assert (found.inbox_table_name, found.event_bus_name) == ("test-Inbox", "default")
    assert (found.sign_in_issuer, found.sign_in_client_id) == (
        "https://issuer.example.com",
        "approvals",
    )
    assert str(found.sign_in_client_secret_arn).endswith(":secret:c-AbCdEf")
    assert found.session_key_arn.endswith(":key/2")


def test_should_know_where_it_archives() -> None:
    found = settings(**EXTRAS).archive
    assert found is not None
    assert found.bucket == "test-archive"
    assert settings().archive is None
    with pytest.raises(RuntimeError, match="ARCHIVE must name a bucket, a key and a queue"):
        assert settings(ARCHIVE='{"bucket": "b"}').archive


def test_should_do_without_what_a_deployment_need_not_have() -> None:
    found = settings()
    assert (found.page_url, found.personal_topic_arn, found.signing_key_arn) == (None, None, None)
    assert (found.trust_authorizer, found.page_challenge) == (False, False)
    assert found.groups == {}
    assert (found.operators, found.sign_in_max_age) == ((), None)
    assert (found.sign_in_issuer, found.sign_in_client_secret_arn) == (None, None)
    assert found.aws_endpoint_url is None
    assert settings(AWS_ENDPOINT_URL="http://127.0.0.1:1").aws_endpoint_url == "http://127.0.0.1:1"
    assert (found.sign_in_claim, found.personal_sessions) == (EMAIL_CLAIM, frozenset())


@pytest.mark.parametrize(
    ("name", "value", "attribute"),
    [
        ("APPROVALS_TABLE_NAME", "", "approvals_table_name"),
        ("APPROVAL_TIMEOUT_SECONDS", "-1", "approval_timeout"),
        ("APPROVAL_TIMEOUT_SECONDS", "1e3", "approval_timeout"),
        ("MAX_APPROVAL_TIMEOUT_SECONDS", "99999999999", "max_approval_timeout"),
        ("APPROVAL_POLICY", "{", "policy"),
        ("APPROVAL_POLICY", "{}", "policy"),
        ("DEFAULT_APPROVERS", '"bob"', "default_approvers"),
        ("APPROVER_GROUPS", "no such file.json", "groups"),
        ("DIRECTORY", "no such file.json", "directory"),
        ("MAIL", "[]", "mail"),
        ("MAIL", '{"address": "nobody", "name": "x"}', "mail"),
        ("MAIL", '{"address": "a@example.com", "name": "x", "more": 1}', "mail"),
        ("PERSONAL_SESSIONS", '"Approver"', "personal_sessions"),
        ("OPERATORS", '"olga"', "operators"),
        ("SIGN_IN_MAX_AGE_SECONDS", "0", "sign_in_max_age"),
        ("PERSONAL_SESSIONS", "[1]", "personal_sessions"),
        ("RESUME_MODE", "hoping", "resume"),
        ("LOG_LEVEL", "LOUD", "log_level"),
        ("EVENT_BUS_NAME", "", "event_bus_name"),
        ("SIGN_IN_CLIENT_ID", "", "sign_in_client_id"),
        ("SESSION_KEY_ARN", "", "session_key_arn"),
    ],
)
def test_should_name_the_variable_that_is_missing_or_garbled(
    name: str, value: str, attribute: str
) -> None:
    with pytest.raises(RuntimeError, match=f"^environment variable {name}"):
        getattr(settings(**{name: value}), attribute)


@pytest.mark.parametrize("text", ["", "[]", '{"leads": "ann"}', '{"leads": ["ann", "Ann"]}'])
def test_should_name_the_variable_of_a_file_that_is_garbled(text: str, tmp_path: Path) -> None:
    groups = tmp_path / "groups.json"
    groups.write_text(text)
    with pytest.raises(RuntimeError, match=r"^environment variable APPROVER_GROUPS"):
        _ = settings(APPROVER_GROUPS=str(groups)).groups


@pytest.mark.parametrize("text", ["", "[]", '{"mail": true, "people": {"ann": {"fax": "1"}}}'])
def test_should_name_the_variable_of_a_directory_that_is_garbled(text: str, tmp_path: Path) -> None:
    directory = tmp_path / "directory.json"
    directory.write_text(text)
    with pytest.raises(RuntimeError, match=r"^environment variable DIRECTORY"):
        _ = settings(DIRECTORY=str(directory)).directory


def test_should_reach_everybody_by_the_topic_without_a_directory() -> None:
    assert settings().directory == Directory()


def test_should_find_the_file_of_groups_where_python_finds_modules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "theirs.json").write_text('{"leads": ["ann"]}')
    monkeypatch.syspath_prepend(tmp_path)
    assert settings(APPROVER_GROUPS="theirs.json").groups == {"leads": ("ann",)}


def test_should_read_whose_page_it_is(tmp_path: Path) -> None:
    file = tmp_path / "organization.json"
    file.write_text(json.dumps(Organization("Nordwind", "#a8201a").to_dict()))
    assert settings().organization is None
    assert settings(ORGANIZATION=str(file)).organization == Organization("Nordwind", "#a8201a")


@pytest.mark.parametrize("text", [None, "", "[]", '{"name": "Nordwind"}'])
def test_should_name_the_variable_where_it_cannot_be_read(text: str | None, tmp_path: Path) -> None:
    file = tmp_path / "another.json"
    if text is not None:
        file.write_text(text)
    with pytest.raises(RuntimeError, match=r"^environment variable ORGANIZATION"):
        _ = settings(ORGANIZATION=str(file)).organization


def test_should_read_an_attached_functions_own_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESUME_MODE", "the function's own")
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "refund")
    monkeypatch.setenv(f"{ATTACHED_PREFIX}RESUME_MODE", "polling")
    monkeypatch.setenv(f"{ATTACHED_PREFIX}REQUEST_FUNCTION_ARN", "arn:request")
    attached = Settings.from_environment()
    assert attached.request_function_arn == "arn:request:refund"
    assert attached.resume == "polling"
    with pytest.raises(RuntimeError, match=f"{ATTACHED_PREFIX}POLL_INTERVAL_SECONDS is not set"):
        _ = attached.poll_interval
