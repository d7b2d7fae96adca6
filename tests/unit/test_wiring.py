"""The adapters behind the ports: made once in a process, from its settings, without a call."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from hitl_approval import wiring
from hitl_approval.adapters.ses import SesNotifier
from hitl_approval.adapters.sns import SnsNotifier
from hitl_approval.settings import settings
from tests.environment import ENVIRONMENT, EXTRAS, SIGN_IN

SERVICES: tuple[Callable[[], object], ...] = (
    wiring.request_service,
    wiring.decision_service,
    wiring.sweep_service,
    wiring.publish_service,
    wiring.archive_service,
    wiring.delivery_service,
    wiring.returned_service,
    wiring.tasks,
    wiring.sign_in_issuer,
    wiring.workspace,
)


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """No process remembers another's services."""
    _forget()
    yield
    _forget()


def _forget() -> None:
    settings.cache_clear()
    for service in SERVICES:
        service.cache_clear()  # type: ignore[attr-defined]  # functools.cache's


@pytest.fixture
def everything(deployment_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**EXTRAS, **SIGN_IN}.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.__name__)
def test_should_be_made_once(everything: None, service: Callable[[], object]) -> None:
    assert service() is service()


def test_should_sign_and_keep_an_inbox_where_the_deployment_does(everything: None) -> None:
    assert wiring.decision_service().signer is not None
    assert wiring.decision_service().inbox is not None


def test_should_archive_where_the_deployment_does(everything: None) -> None:
    assert wiring.publish_service().archiving is wiring.archive_service()


def test_should_archive_nothing_where_it_does_not(
    everything: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ARCHIVE")
    assert wiring.publish_service().archiving is None
    with pytest.raises(RuntimeError, match="needs an archive"):
        wiring.archive_service()


def test_should_sign_browsers_in_where_the_deployment_does(everything: None) -> None:
    issuer = wiring.sign_in_issuer()
    assert issuer is not None
    assert (issuer.issuer, issuer.client_id) == ("https://issuer.example.com", "approvals")
    assert issuer.client_secret is not None
    assert wiring.session_mac().key_arn.endswith(":key/2")


def test_should_do_without_where_it_does_not(deployment_environment: dict[str, str]) -> None:
    assert wiring.decision_service().signer is None
    assert wiring.decision_service().inbox is None
    assert wiring.decision_service().messages is None
    assert wiring.request_service().secrets is None
    assert wiring.sign_in_issuer() is None
    with pytest.raises(RuntimeError, match="the messenger function needs a page"):
        wiring.delivery_service()
    with pytest.raises(RuntimeError, match="the messenger function needs a messages table"):
        wiring.returned_service()


def test_should_send_to_people_by_a_topic_of_their_own_and_never_twice(everything: None) -> None:
    broadcast = wiring.request_service().notifier
    personal = wiring.delivery_service().notifiers["sns"]
    assert isinstance(broadcast, SnsNotifier)
    assert isinstance(personal, SnsNotifier)
    assert (broadcast.topic_arn, broadcast.personal) == (ENVIRONMENT["SNS_TOPIC_ARN"], False)
    assert (personal.topic_arn, personal.personal) == (EXTRAS["PERSONAL_TOPIC_ARN"], True)
    assert personal.client.meta.config.retries["total_max_attempts"] == 1
    assert broadcast.client is not personal.client


def test_should_measure_more_where_the_deployment_is_monitored(
    everything: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert wiring.sweep_service().gauges is None
    _forget()
    monkeypatch.setenv("DETAILED_METRICS", "true")
    assert wiring.sweep_service().gauges is not None
    notifiers = wiring.delivery_service().notifiers
    assert {name: each.channel for name, each in notifiers.items()} == {  # type: ignore[attr-defined]
        name: name for name in notifiers
    }


def test_should_mail_by_ses_where_there_is_a_sender(
    everything: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_mail = wiring.delivery_service().notifiers["ses"]
    assert isinstance(by_mail, SesNotifier)
    assert by_mail.sender.address == "approvals@example.org"
    assert by_mail.client.meta.config.retries["total_max_attempts"] == 1
    _forget()
    monkeypatch.delenv("MAIL")
    assert "ses" not in wiring.delivery_service().notifiers


def test_should_draw_a_code_where_the_page_asks_for_one(
    deployment_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAGE_CHALLENGE", "true")
    assert wiring.request_service().secrets is not None
