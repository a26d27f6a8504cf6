"""The local stack's own keys, and the tokens signed with them."""

import secrets
import time
from functools import cached_property
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from jwt.algorithms import OKPAlgorithm

from deploy.local import files
from shared.contracts.scopes import SCOPES, SERVICE_SCOPES, list_scopes

ISSUER = "goodstanding-local"
LIFETIME = 12 * 3600
"""Seconds that a token is good for."""
RELAY = "mail-relay"
"""Who hands over the mails that come in: not a service, and with a token for nothing else."""
RENEWED_EVERY = 3600.0


class SigningKeyPair:
    """An Ed25519 key pair in a folder: made on first use, the private half readable by its owner only."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def token(
        self, audience: str, scopes: str | None = None, subject: str = "operator", roles: str = "operator"
    ) -> str:
        """A token for one service; all of its scopes unless told which; scopes and roles separated by blanks."""
        issued = int(time.time())
        everything = " ".join(list_scopes(audience)) if audience in SCOPES else ""
        claims = {
            "iss": ISSUER,
            "sub": subject,
            "aud": audience,
            "scope": everything if scopes is None else scopes,
            "roles": roles,
            "iat": issued,
            "exp": issued + LIFETIME,
        }
        key = load_pem_private_key(self._secret["private_key"].encode(), password=None)
        assert isinstance(key, Ed25519PrivateKey)
        return jwt.encode(claims, key, algorithm="EdDSA", headers={"kid": self._secret["kid"]})

    def publish(self, path: Path) -> None:
        """Write the public half as a JWK set."""
        key = load_pem_private_key(self._secret["private_key"].encode(), password=None)
        assert isinstance(key, Ed25519PrivateKey)
        public: dict[str, Any] = OKPAlgorithm.to_jwk(key.public_key(), as_dict=True)
        public |= {"kid": self._secret["kid"], "alg": "EdDSA", "use": "sig"}
        files.write_json(path, {"keys": [public]})

    def write_service_tokens(self, folder: Path) -> None:
        """`SERVICE/AUDIENCE.jwt` for each service and each other one that it calls, with no more than it uses there."""
        for service, audiences in SERVICE_SCOPES.items():
            (folder / service).mkdir(parents=True, exist_ok=True)
            for former in SCOPES.keys() - audiences.keys():
                (folder / service / f"{former}.jwt").unlink(missing_ok=True)
            for audience, words in audiences.items():
                scopes = " ".join(f"{audience}:{word}" for word in words)
                token = self.token(audience, scopes, subject=f"service:{service}", roles="")
                files.write_private_file(folder / service / f"{audience}.jwt", token, mode=0o600)
        (folder / RELAY).mkdir(parents=True, exist_ok=True)
        token = self.token("escalation", "escalation:mail", subject=RELAY, roles="")
        files.write_private_file(folder / RELAY / "escalation.jwt", token, mode=0o600)

    @cached_property
    def _secret(self) -> dict[str, str]:
        path = self._folder / "secrets.json"
        if not path.exists():
            pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            made = {"kid": secrets.token_hex(8), "private_key": pem.decode()}
            files.write_json(path, made, mode=0o600)
        return files.read_json(path)
