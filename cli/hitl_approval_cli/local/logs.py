"""What functions log by Python's logging, written as Lambda writes it."""

from __future__ import annotations

from ministack.core import lambda_runtime

# Lambda's own format: level, time, request id, message. The emulator tells no request id.
_HANDLER = """
def _log_as_lambda_does():
    import logging, sys, time
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter(
        "[%(levelname)s]\\t%(asctime)s.%(msecs)03dZ\\t\\t%(message)s", "%Y-%m-%dT%H:%M:%S"
    ))
    handler.formatter.converter = time.gmtime
    logging.getLogger().addHandler(handler)
_log_as_lambda_does()
"""


def log_as_lambda_does() -> None:
    """Give functions written in Python a root logger that writes to their log.

    Upstream gives them none: what is logged below WARNING is lost, and the rest has no level and no
    time. AWS's runtime writes what the function's own level lets through.
    """
    lambda_runtime._PYTHON_WORKER_SCRIPT = _HANDLER + lambda_runtime._PYTHON_WORKER_SCRIPT
