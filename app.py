"""The deployable app: context keys -> one stack. `cdk deploy -c approval_timeout_seconds=7200`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE / "stacks"), str(HERE / "shared")]
# The CDK's own process runs on the Node beside this Python, where there is one.
if (node := Path(sys.executable).with_name("node")).exists():
    os.environ.setdefault("JSII_NODE", str(node))

try:
    from aws_cdk import App

    from hitl_approval_cdk import HitlApprovalStack, context
except ModuleNotFoundError as error:
    sys.exit(
        f"hitl-approval: {error.name} is not installed for this Python: run `make setup` and "
        "`. .venv/bin/activate`, or `pip install -r requirements.txt`"
    )


def main() -> None:
    """Synthesize, or say in one line what is wrong."""
    app = App(analytics_reporting=False)
    values = app.node.get_all_context()
    try:
        name = context.stack_name(values)
        HitlApprovalStack(app, name, **context.options(values))
        app.synth()
    except (ValueError, RuntimeError) as error:
        # What Python raised inside a callback of CDK's comes back with CDK's story around it.
        reason = str(error).rsplit("@jsii/kernel.RuntimeError:", 1)[-1]
        sys.exit(f"hitl-approval: {' '.join(reason.split())}")


if __name__ == "__main__":
    main()
