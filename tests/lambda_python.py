"""The Python that Lambda runs, for `make test-deployed`, which runs tests on it, too.

Prints its path; without one says so, and fails if `HITL_REQUIRE_PYTHON_313` asks for it, as CI
does.
"""

from __future__ import annotations

import os
import platform
import sys

from hitl_approval_cdk.lambda_python import VERSION, find

REQUIRED = "HITL_REQUIRE_PYTHON_313"
MISSING = (
    f"Python {VERSION}, which is deployed, was not found: no test ran on it (put python{VERSION} "
    "on PATH, or install it with pyenv or uv)"
)


def main() -> int:
    """See the module's docstring."""
    if platform.python_version().startswith(f"{VERSION}."):
        return 0  # every test has run on it
    if found := find():
        print(found)  # noqa: T201  for the Makefile
        return 0
    print(MISSING, file=sys.stderr)  # noqa: T201
    return int(os.environ.get(REQUIRED, "") not in {"", "0"})


if __name__ == "__main__":
    sys.exit(main())
