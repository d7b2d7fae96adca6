"""`hitl policy show`: the rules of a deployment, as a file of rules has them."""

from __future__ import annotations

import json

from hitl_approval_cli import output
from hitl_approval_cli.connection import Connection, connected


@connected
def show(to: Connection) -> None:
    """Print the rules of a deployment as JSON, for `hitl policy test` or to compare with a file.

    With --json the answer is one line and has the digest beside the rules, which each request's
    record names.

    Example: hitl policy show > rules.json
    """
    answer = to.deployment.call({"action": "policy"})
    to.show(answer, lambda: output.plain(json.dumps(answer["rules"], indent=2)))
