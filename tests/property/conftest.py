"""How many examples are tried: Hypothesis' own number, and ten times that in `make faults`."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("deep", max_examples=1000)
