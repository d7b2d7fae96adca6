"""What the tests synthesize goes when they end."""

from __future__ import annotations

import os
from pathlib import Path

from .synth import any_app


def test_should_synthesize_where_the_run_removes_it() -> None:
    assert Path(any_app().outdir).resolve().is_relative_to(Path(os.environ["TMPDIR"]).resolve())
