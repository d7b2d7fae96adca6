"""The names users import, and that infrastructure code need not have boto3 to import ours."""

from __future__ import annotations

import subprocess
import sys

import pytest

import hitl_approval


def test_should_offer_every_name_it_promises() -> None:
    for name in hitl_approval.__all__:
        assert getattr(hitl_approval, name).__name__ == name


def test_should_refuse_a_name_it_does_not_have() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = hitl_approval.nothing


def test_should_import_the_contract_without_boto3_or_the_durable_sdk() -> None:
    code = (
        "import sys, hitl_approval.contract, hitl_approval.domain.policy\n"
        "print([m for m in ('boto3', 'botocore', 'aws_durable_execution_sdk_python')"
        " if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "module", ["hitl_approval.durable.wait", "hitl_approval.testing", "hitl_approval_cli.main"]
)
def test_should_ask_and_command_without_the_templates_of_pages_and_mails(module: str) -> None:
    """A wheel without extras, the layer and the command have no jinja2."""
    code = f"import sys; sys.modules['jinja2'] = None; import {module}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
