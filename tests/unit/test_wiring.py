"""The adapters behind the ports: made once in a process, from its settings, without a call."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from hitl_approval import wiring
from hitl_approval.settings import settings
from tests.environment import EXTRAS

SERVICES: tuple[Callable[[], object], ...] = (
    wiring.request_service,
    wiring.decision_service,
    wiring.sweep_service,
    wiring.publish_service,
    wiring.delivery_service,
    wiring.tasks,
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
    for name, value in EXTRAS.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.__name__)
def test_should_be_made_once(everything: None, service: Callable[[], object]) -> None:
    assert service() is service()


def test_should_sign_and_keep_an_inbox_where_the_deployment_does(everything: None) -> None:
    assert wiring.decision_service().signer is not None
    assert wiring.decision_service().inbox is not None


def test_should_do_without_where_it_does_not(deployment_environment: dict[str, str]) -> None:
    assert wiring.decision_service().signer is None
    assert wiring.decision_service().inbox is None


def test_should_make_no_messenger_where_there_is_no_page(
    deployment_environment: dict[str, str],
) -> None:
    with pytest.raises(RuntimeError, match="needs a page, a messages table and a topic"):
        wiring.delivery_service()
