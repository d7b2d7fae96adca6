"""Signatures and codes by KMS keys, which never leave KMS."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import ClientError

from hitl_approval.adapters.aws import CALL_ERRORS, error_code, unavailable

ALGORITHM: Final = "ECDSA_SHA_256"
"""Of a key with the spec ECC_NIST_P256 (KMS developer guide, asymmetric key specs)."""

MAC_ALGORITHM: Final = "HMAC_SHA_256"
"""Of a key with the spec HMAC_256."""

_NOT_OURS = frozenset(
    {"KMSInvalidMacException", "KMSInvalidSignatureException", "ValidationException"}
)
"""What KMS answers for a code or a signature that the key has not made."""


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
            if isinstance(error, ClientError) and error_code(error) in _NOT_OURS:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class KmsMac:
    """Message authentication codes of what a browser keeps for us, by a symmetric KMS key."""

    client: Any
    key_arn: str

    def make(self, message: bytes) -> bytes:
        """The code of a message of at most 4,096 bytes.

        Raises:
            Unavailable: KMS did not take the call now.
        """
        try:
            answer = self.client.generate_mac(**self._about(message))
        except CALL_ERRORS as error:
            raise unavailable("KMS", error) from error
        return bytes(answer["Mac"])

    def verify(self, message: bytes, mac: bytes) -> bool:
        """Whether the code was made for this message by this key.

        Raises:
            Unavailable: KMS did not take the call now.
        """
        try:
            answer = self.client.verify_mac(Mac=mac, **self._about(message))
        except CALL_ERRORS as error:
            if isinstance(error, ClientError) and error_code(error) in _NOT_OURS:
                return False
            raise unavailable("KMS", error) from error
        return bool(answer["MacValid"])

    def _about(self, message: bytes) -> dict[str, Any]:
        return {"KeyId": self.key_arn, "Message": message, "MacAlgorithm": MAC_ALGORITHM}
