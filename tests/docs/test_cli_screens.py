"""The pictures of the command are what it shows today."""

from __future__ import annotations

import pytest

from tests.docs.cli_screens import FOLDER, SCREENS, draw


@pytest.mark.parametrize("name", SCREENS)
def test_should_be_what_make_screenshots_takes(name: str) -> None:
    picture = draw(name)
    assert picture == (FOLDER / f"{name}.svg").read_text(encoding="utf-8"), "make screenshots"
    assert "Traceback" not in picture
    assert "url(http" not in picture  # nothing is fetched when it is shown
