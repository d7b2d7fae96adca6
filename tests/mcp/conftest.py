"""A deployment in memory, and its route for agents."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hitl_approval.testing import World, in_memory
from tests.cli.fake_cloud import FakeCloud

from .serving import Api, served


@pytest.fixture
def world() -> World:
    return in_memory()


@pytest.fixture
def api(world: World) -> Api:
    return Api(world, FakeCloud(world))


@pytest.fixture
def served_api(api: Api) -> Iterator[Api]:
    with served(api):
        yield api
