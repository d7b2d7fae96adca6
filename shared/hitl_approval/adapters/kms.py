"""Signatures by an asymmetric KMS key, which never leaves KMS."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import ClientError

from hitl_approval.adapters.aws import CALL_ERRORS, error_code, unavailable

ALGORITHM: Final = "ECDSA_SHA_256"
"""Of a key with the spec ECC_NIST_P256 (KMS developer guide, asymmetric key specs)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KmsSigner:
    """Signs the hashes of audit events."""

    client: Any
    key_arn: str

    def sign(self, event_hash: str) -> str:
        """See `ports.Signer.sign`."""
        try:
            answer = self.client.sign(**self._about(event_hash))
        except CALL_ERRORS as error:
            raise unavailable("KMS", error) from error
        return base64.b64encode(answer["Signature"]).decode()

    def verify(self, event_hash: str, signature: str) -> bool:
        """See `ports.Signer.verify`."""
        try:
            raw = base64.b64decode(signature, validate=True)
            answer = self.client.verify(Signature=raw, **self._about(event_hash))
        except (binascii.Error, ValueError):
            return False
        except CALL_ERRORS as error:
            if isinstance(error, ClientError) and error_code(error) in {
                "KMSInvalidSignatureException",
                "ValidationException",
            }:
                return False
            raise unavailable("KMS", error) from error
        return bool(answer["SignatureValid"])

    def _about(self, event_hash: str) -> dict[str, Any]:
        return {
            "KeyId": self.key_arn,
            "Message": bytes.fromhex(event_hash),
            "MessageType": "DIGEST",
            "SigningAlgorithm": ALGORITHM,
        }
