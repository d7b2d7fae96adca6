"""How much of a synth crosses the bridge to Node: time is the machine's, messages are ours."""

from __future__ import annotations

from bench.synth import messages


def test_should_send_jsii_no_more_than_it_does() -> None:
    assert 300 < messages() <= 470
