"""AWS as an HTTP server: DynamoDB by the double, what that does not know by the one answer read."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from botocore.exceptions import ClientError

from tests.environment import ENVIRONMENT, EXTRAS
from tests.faults.dynamodb import APPROVALS, AUDIT, INBOX, MESSAGES, DynamoDb

ANSWERS: dict[str, Any] = {
    "BatchWriteItem": {"UnprocessedItems": {}},
    "PutEvents": {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]},
    "Sign": {"KeyId": "k", "Signature": "c2lnbmVk", "SigningAlgorithm": "ECDSA_SHA_256"},
    "GenerateMac": {"KeyId": "k", "Mac": "bWFj", "MacAlgorithm": "HMAC_SHA_256"},
    "VerifyMac": {"KeyId": "k", "MacValid": True, "MacAlgorithm": "HMAC_SHA_256"},
    "Verify": {"KeyId": "k", "SignatureValid": True, "SigningAlgorithm": "ECDSA_SHA_256"},
    "GetSecretValue": {"SecretString": '{"signing_secret": "s", "bot_token": "t"}'},
    "outbound-emails": {"MessageId": "0100"},
    "SendMessage": {"MessageId": "1"},
    "SendTaskSuccess": {},
    "SendTaskFailure": {},
    "checkpoint": {"CheckpointToken": "t", "NewExecutionState": {"Operations": []}},
    "state": {"Operations": []},
    "succeed": {},
    "durable-execution": {"Status": "RUNNING"},
    "invocations": {"answer": None},
}
PUBLISHED = (
    "<PublishResponse><PublishResult><MessageId>m</MessageId></PublishResult></PublishResponse>"
)


@contextmanager
def fake_aws() -> Iterator[tuple[str, set[str]]]:
    """An endpoint, and the operations that it has been asked for.

    Of DynamoDB also, as `dynamodb:PutItem`, what IAM must allow for them.
    """
    seen: set[str] = set()
    bucket: dict[str, bytes] = {}
    database = DynamoDb(
        {
            ENVIRONMENT["APPROVALS_TABLE_NAME"]: APPROVALS,
            ENVIRONMENT["AUDIT_TABLE_NAME"]: AUDIT,
            EXTRAS["INBOX_TABLE_NAME"]: INBOX,
            EXTRAS["MESSAGES_TABLE_NAME"]: MESSAGES,
        }
    )

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            status = 200
            if self.path.startswith("/test-archive"):
                self.answer_s3(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
                return
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            service, _, operation = self.headers.get("X-Amz-Target", "").rpartition(".")
            if service.startswith("DynamoDB") and operation in ANSWERS:
                seen.add(f"dynamodb:{operation}")
            if service.startswith("DynamoDB") and operation not in ANSWERS:
                asked = json.loads(body)
                token = asked.pop("ClientRequestToken", "")
                seen.update(_actions(operation, asked))
                counts = asked.pop("Select", None) == "COUNT"
                try:
                    found = database.call(operation, asked, token)
                except ClientError as refused:
                    status, text = 400, json.dumps({"__type": refused.response["Error"]["Code"]})
                else:
                    text = json.dumps({"Count": len(found["Items"])} if counts else found)
            elif body.startswith(b"Action=Publish"):
                operation, text = "Publish", PUBLISHED
            else:
                operation = operation or _rest(self.path)
                text = json.dumps(ANSWERS[operation])
            seen.add(operation)
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            if operation == "invocations":
                self.send_header("X-Amz-Durable-Execution-Arn", "arn")
            self.end_headers()
            self.wfile.write(text.encode())

        def answer_s3(self, body: bytes) -> None:
            key = self.path.partition("?")[0].removeprefix("/test-archive").removeprefix("/")
            if self.command == "PUT":
                seen.add("PutObject")
                bucket[key], answered = body, b""
            elif key:
                seen.add("GetObject")
                answered = bucket[key]
            else:
                seen.add("ListObjectsV2")
                keys = "".join(f"<Contents><Key>{key}</Key></Contents>" for key in sorted(bucket))
                answered = f"<ListBucketResult>{keys}</ListBucketResult>".encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(answered)))
            self.end_headers()
            self.wfile.write(answered)

        do_GET = do_POST = do_PUT = answer  # noqa: N815  the names that http.server calls

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", seen
    finally:
        server.shutdown()
        server.server_close()


def _actions(operation: str, asked: Any) -> set[str]:
    """What IAM must allow for a call: of a transaction, each of its parts."""
    if operation != "TransactWriteItems":
        return {f"dynamodb:{operation}"}
    return {f"dynamodb:{kind}Item" for part in asked["TransactItems"] for kind in part}


def _rest(path: str) -> str:
    """The last word of a Lambda path that says what is asked."""
    words = path.partition("?")[0].strip("/").split("/")
    if words[-1] in ANSWERS:
        return words[-1]
    return "durable-execution" if words[1] == "durable-executions" else path
