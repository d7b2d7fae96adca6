"""Which tests run in one process, and in which order they are handed out (`pytest -n 2`).

Files that use the same deployments stay together, so that none is deployed twice; what shares
nothing is handed out test by test, so that both processes end at the same time. Another file's
tests stay together.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath

import pytest
from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped]

TOGETHER: Mapping[str, tuple[str, ...]] = {
    "the deployed app": (
        "e2e/test_one_approval.py",
        "e2e/test_page.py",
        "e2e/test_events.py",
        "e2e/test_sweep.py",
        "e2e/test_signed_in.py",
        "e2e/test_cli_examples.py",
        "e2e/test_chaos.py",
        "e2e/test_public_pattern.py",
        "browser/",
    ),
    "the wheel": (
        "e2e/test_wheel.py",
        "e2e/test_examples.py",
        "e2e/test_tomorrow.py",
        "e2e/test_readme.py",
        "e2e/",
    ),
    "the local cloud": ("local/",),
}
"""What is shared -> files and folders in the order in which they run; the first that fits counts.

The groups are handed out in this order, then the folders of `SLOW`, then all else.
"""
ALONE = ("faults/test_faults.py",)
"""Files whose tests share nothing."""
SLOW = ("faults/", "workflow/", "infra/", "cli/")

_PLACES = [(group, place) for group, places in TOGETHER.items() for place in places]


def scope_of(nodeid: str) -> str:
    """What a test stays together with: a group, its file, or nothing but itself."""
    path, file = _file(nodeid)
    for group, place in _PLACES:
        if file.startswith(place):
            return group
    return nodeid if file in ALONE else path


def rank(nodeid: str) -> int:
    """When a test is handed out; equal ones keep the order that was drawn."""
    _, file = _file(nodeid)
    places = [*(place for _, place in _PLACES), *SLOW]
    return next((n for n, place in enumerate(places) if file.startswith(place)), len(places))


def _file(nodeid: str) -> tuple[str, str]:
    """A test's file, from the root and from tests/."""
    path = nodeid.partition("::")[0]
    return path, PurePosixPath(path).as_posix().removeprefix("tests/")


class ByWhatIsShared(LoadFileScheduling):  # type: ignore[misc]  # xdist has no types
    """xdist's scheduler of whole files, with our groups."""

    def _split_scope(self, nodeid: str) -> str:
        return scope_of(nodeid)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Hand out the slow ones first; after pytest-randomly, which draws the order of the rest."""
    items.sort(key=lambda item: rank(item.nodeid))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> ByWhatIsShared | None:
    """In place of `--dist loadfile`."""
    return ByWhatIsShared(config, log) if config.getoption("dist") == "loadfile" else None
