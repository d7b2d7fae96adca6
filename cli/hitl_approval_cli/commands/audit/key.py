"""`hitl audit key`: the public key of the archive, for an auditor to keep."""

from __future__ import annotations

import base64
import textwrap

from hitl_approval.contract import Output
from hitl_approval_cli import output
from hitl_approval_cli.connection import Connection, connected
from hitl_approval_cli.errors import CliError

NO_ARCHIVE = "NO_ARCHIVE"
"""Code of the error where the deployment has no archive."""


@connected
def key(to: Connection) -> None:
    """Print the public key that verifies the archive, as PEM, to be kept outside of the account.

    Export it once, when the archive is new: `hitl audit verify --key` then believes nobody who has
    rights in the account since. With --json the answer is {"key_arn": ..., "public_key": ...}.

    Example: hitl audit key > archive.pem
    """
    arn = to.deployment.find_output(Output.ARCHIVE_KEY_ARN)
    if arn is None:
        msg = "the deployment has no archive: pass archive=Archive() to HitlApproval"
        raise CliError(msg, code=NO_ARCHIVE)
    with to.deployment.errors():
        der = to.deployment.client("kms").get_public_key(KeyId=arn)["PublicKey"]
    lines = textwrap.wrap(base64.b64encode(der).decode(), 64)
    pem = "\n".join(["-----BEGIN PUBLIC KEY-----", *lines, "-----END PUBLIC KEY-----"])
    to.show(
        {"key_arn": arn, "public_key": f"{pem}\n"},
        lambda: output.out.print(pem, markup=False, highlight=False, soft_wrap=True),
    )
