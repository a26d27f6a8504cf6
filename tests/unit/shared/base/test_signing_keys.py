"""Keys are as new as the file, a bad file changes nothing, and a token falls with the key that signed it."""

import base64
import json
from pathlib import Path
from typing import Any

import jwt
import pytest
import time_machine
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from shared.base import signing_keys
from shared.base.settings import Settings
from shared.base.signing_keys import SigningKeys, SigningKeysMissing
from shared.web.auth import RequestNotAuthenticated, verify_token

ISSUER = "https://login.example"
NOW = 1_790_000_000


class Signer:
    """A private key, and the public one as others publish it."""

    def __init__(self, kid: str, algorithm: str = "EdDSA", bits: int = 2048) -> None:
        self.kid, self.algorithm = kid, algorithm
        self.key: Any
        if algorithm == "EdDSA":
            self.key = Ed25519PrivateKey.generate()
            self.jwk: dict[str, Any] = OKPAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        elif algorithm == "ES256":
            self.key = ec.generate_private_key(ec.SECP256R1())
            self.jwk = ECAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        else:
            self.key = rsa.generate_private_key(65537, bits)
            self.jwk = RSAAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        self.jwk = {"kid": kid, **self.jwk}

    def sign(self, **more: Any) -> str:
        """A good token, but for what is said; None leaves a claim out."""
        claims = {"iss": ISSUER, "sub": "ann", "aud": "invoicing", "iat": NOW, "exp": NOW + 3600, "scope": "a b"} | more
        claims = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(claims, self.key, algorithm=self.algorithm, headers={"kid": self.kid})


class Door:
    """A service's door, with a clock of its own that nothing but the test moves."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.file = folder / "jwks.json"
        self.settings = Settings(database_url="postgresql://nobody", jwks_file=self.file, issuer=ISSUER)
        self.seconds = 1000.0
        self.reads = 0
        monkeypatch.setattr("shared.base.signing_keys.time.monotonic", lambda: self.seconds)
        read_bytes = Path.read_bytes

        def counting(path: Path) -> bytes:
            self.reads += path == self.file
            return read_bytes(path)

        monkeypatch.setattr(Path, "read_bytes", counting)

    def publish(self, *keys: object) -> None:
        """Write the file."""
        self.file.write_text(json.dumps({"keys": list(keys)}))

    def lets_in(self, token: str) -> bool:
        """Whether a token is believed."""
        try:
            return verify_token(token, "invoicing", self.settings).subject == "ann"
        except RequestNotAuthenticated:
            return False


@pytest.fixture
def door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Door:
    return Door(tmp_path, monkeypatch)


@pytest.fixture(autouse=True)
def frozen() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


def test_each_algorithm_of_ours_is_believed_by_its_own_key(door: Door) -> None:
    signers = [Signer(name, name) for name in ("EdDSA", "ES256", "RS256")]
    door.publish(*(signer.jwk for signer in signers))
    assert all(door.lets_in(signer.sign()) for signer in signers)


def test_a_withdrawn_key_ends_its_tokens_within_a_minute(door: Door) -> None:
    old, new = Signer("old"), Signer("new")
    door.publish(old.jwk, new.jwk)
    token, other = old.sign(), new.sign()
    assert door.lets_in(token)
    door.publish(new.jwk)
    door.seconds += 60
    assert not door.lets_in(token), "though it was found good before"
    assert door.lets_in(other)


def test_a_key_that_takes_the_place_of_another_of_its_id_ends_its_tokens(door: Door) -> None:
    old, new = Signer("same"), Signer("same")
    door.publish(old.jwk)
    token = old.sign()
    assert door.lets_in(token)
    door.publish(new.jwk)
    door.seconds += 60
    assert not door.lets_in(token)
    assert door.lets_in(new.sign())


def test_a_new_key_is_known_at_once_and_no_flood_of_bad_tokens_reads_the_file(door: Door) -> None:
    old, new = Signer("old"), Signer("new")
    door.publish(old.jwk)
    assert door.lets_in(old.sign())
    door.publish(old.jwk, new.jwk)
    door.seconds += 1.5
    assert door.lets_in(new.sign())
    reads = door.reads
    for number in range(200):
        assert not door.lets_in(Signer(f"unknown {number}").sign())
        door.seconds += 0.01  # two seconds in all
    assert door.reads - reads <= 3


@pytest.mark.parametrize(
    "content", ["", "{", '{"keys": [{"kty": "OKP", "crv', "[]", '{"keys": 1}', "null", "\xff", "[" * 100_000, None]
)
def test_a_file_that_is_none_leaves_the_last_good_one(door: Door, content: str | None) -> None:
    signer = Signer("a")
    door.publish(signer.jwk)
    assert door.lets_in(signer.sign())
    if content is None:
        door.file.unlink()
    else:
        door.file.write_text(content, "latin-1")
    door.seconds += 60
    before = signing_keys.UNREADABLE._value.get()
    assert door.lets_in(signer.sign(jti="2"))
    assert signing_keys.UNREADABLE._value.get() == before + 1
    door.publish(signer.jwk)
    door.seconds += 60
    assert door.lets_in(signer.sign(jti="3"))


def test_since_when_the_file_is_not_readable_is_told_until_it_is(door: Door) -> None:
    def ask(seconds: float, jti: str) -> float:
        door.seconds += seconds
        with time_machine.travel(NOW + door.seconds, tick=False):
            door.lets_in(signer.sign(jti=jti))
        return float(signing_keys.UNREADABLE_SINCE._value.get())

    signer = Signer("a")
    door.publish(signer.jwk)
    assert ask(0, "1") == 0
    door.file.unlink()
    first = ask(60, "2")
    assert first == NOW + door.seconds
    assert ask(600, "3") == first
    door.publish(signer.jwk)
    assert ask(60, "4") == 0


def test_without_any_keys_yet_it_is_our_fault_and_passes(door: Door) -> None:
    signer = Signer("a")
    for content in ("", '{"keys": '):
        door.file.write_text(content)
        with pytest.raises(SigningKeysMissing):
            verify_token(signer.sign(), "invoicing", door.settings)
        door.seconds += 1.5
    door.publish(signer.jwk)
    assert door.lets_in(signer.sign())


def _without(jwk: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in jwk.items() if key != name}


@pytest.mark.filterwarnings("ignore:The RSA key")
def test_keys_that_cannot_be_used_are_passed_over(door: Door) -> None:
    good, other = Signer("good"), Signer("other")
    short = Signer("short", "RS256", 1024)
    door.publish(
        {"kty": "XYZ", "kid": "x"},
        {"kty": "oct", "kid": "secret", "k": base64.urlsafe_b64encode(b"k" * 32).decode()},
        {"kty": "OKP", "kid": "half", "crv": "Ed25519"},
        {"kty": "RSA", "kid": "no numbers", "n": 1, "e": None},
        {"kty": ["OKP"], "kid": "list", "crv": {}},
        _without(other.jwk, "kid"),
        other.jwk | {"kid": 17},
        other.jwk | {"kid": "other", "alg": "RS256"},
        other.jwk | {"kid": "for encryption", "use": "enc"},
        short.jwk,
        "no object",
        None,
        good.jwk,
    )
    assert door.lets_in(good.sign())
    assert not door.lets_in(other.sign())
    assert not door.lets_in(short.sign())
    forged = jwt.encode(
        jwt.decode(good.sign(), options={"verify_signature": False}), b"k" * 32, headers={"kid": "secret"}
    )
    assert not door.lets_in(forged)


def test_two_keys_of_one_id_are_both_passed_over(door: Door) -> None:
    first, second, third, other = Signer("a"), Signer("a"), Signer("a"), Signer("b")
    door.publish(first.jwk, other.jwk, second.jwk, third.jwk)
    assert [door.lets_in(signer.sign()) for signer in (first, second, third, other)] == [False, False, False, True]


def test_a_key_is_for_the_algorithm_of_its_type_alone(door: Door) -> None:
    signer = Signer("a", "RS256")
    door.publish(signer.jwk)
    assert door.lets_in(signer.sign())
    claims = jwt.decode(signer.sign(), options={"verify_signature": False})
    for algorithm in ("PS256", "RS512"):
        assert not door.lets_in(jwt.encode(claims, signer.key, algorithm=algorithm, headers={"kid": "a"}))


@pytest.mark.parametrize(
    ("claims", "is_good"),
    [
        ({"iss": "https://another.example"}, False),
        ({"iss": None}, False),
        ({"iat": None}, False),
        ({"exp": None}, False),
        ({"exp": NOW + 43_200}, True),
        ({"exp": NOW + 43_201}, False),
        ({"iat": NOW - 43_000, "exp": NOW + 300}, False),
        ({"iat": NOW + 3600, "exp": NOW + 7200}, False),
        ({"iat": NOW + 4}, True),
        ({"nbf": NOW + 60}, False),
        ({"nbf": NOW - 60}, True),
        ({"exp": NOW - 1}, False),
        ({"exp": NOW}, False),
        ({"aud": "collections"}, False),
        ({"exp": 1e400}, False),
        ({"iat": "today"}, False),
        ({"sub": 17}, False),
        ({"sub": ""}, False),
        ({"scope": ["a"]}, True),
    ],
)
def test_claims(door: Door, claims: dict[str, Any], is_good: bool) -> None:
    signer = Signer("a")
    door.publish(signer.jwk)
    assert door.lets_in(signer.sign(**claims)) is is_good


def _header(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=") + ".e30.c2ln"


@pytest.mark.parametrize(
    "token",
    [
        "",
        "a",
        "a.b.c",
        _header("[" * 5000),
        _header('{"alg": "EdDSA", "kid": []}'),
        _header('{"alg": "EdDSA"}'),
        _header("1" * 5000),
        "x" * 10**6,
        "ÿ.ÿ.ÿ",
    ],
)
def test_rubbish_is_no_token(door: Door, token: str) -> None:
    door.publish(Signer("a").jwk)
    assert not door.lets_in(token)


def test_the_process_shares_the_keys_of_a_file(tmp_path: Path) -> None:
    assert signing_keys.get_signing_keys(tmp_path) is signing_keys.get_signing_keys(tmp_path)
    assert isinstance(signing_keys.get_signing_keys(tmp_path), SigningKeys)
