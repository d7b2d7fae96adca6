"""Each configuration is synthesized once for the whole session: the first costs seconds."""

from __future__ import annotations

from typing import Any

import pytest

from tests.infra.synth import CONFIGURATIONS, Resources, any_app, template


@pytest.fixture(scope="session")
def templates() -> dict[str, dict[str, Any]]:
    """Configuration -> template."""
    return {name: template(build(any_app())) for name, build in CONFIGURATIONS.items()}


@pytest.fixture(params=list(CONFIGURATIONS))
def any_template(request: pytest.FixtureRequest, templates: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = templates[request.param]
    return found


@pytest.fixture
def any_resources(any_template: dict[str, Any]) -> Resources:
    found: Resources = any_template["Resources"]
    return found


@pytest.fixture(scope="session")
def default(templates: dict[str, dict[str, Any]]) -> Resources:
    """Resources of the deployable app."""
    found: Resources = templates["default"]["Resources"]
    return found
