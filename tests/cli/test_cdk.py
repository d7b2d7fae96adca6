"""What the CDK CLI says when it fails."""

from __future__ import annotations

import subprocess
import sys

import pytest

from hitl_approval_cli import cdk
from hitl_approval_cli.errors import CliError, show_error


def test_should_show_what_the_cdk_says_line_by_line(capsys: pytest.CaptureFixture[str]) -> None:
    code = "print('one'); print(); print('two \\x1b[31m'); exit(1)"
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    with pytest.raises(CliError) as failed:
        cdk.finish("cdk synth", process)
    show_error(failed.value, as_json=False)
    expected = "hitl: cdk synth failed (CDK_FAILED)\n  one\n  two \\u001b[31m\n"
    assert capsys.readouterr().err == expected
    assert "one\n  two" in str(failed.value)
