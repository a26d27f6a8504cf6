"""The secret of a mail, and what is made of it."""

from uuid import UUID

from shared.pure.bounces import build_envelope_sender, compute_bounce_id, create_mail_secret


def test_a_secret_is_128_bits_in_hexadecimal_digits_and_never_the_same() -> None:
    secrets = {create_mail_secret() for _ in range(20)}
    assert len(secrets) == 20
    assert {len(bytes.fromhex(secret)) for secret in secrets} == {16}


def test_a_bounce_is_named_by_the_digest_of_the_secret() -> None:
    """SHA-256 of "abc", as FIPS 180-2 prints it, begins with these 16 bytes."""
    assert compute_bounce_id("abc") == UUID("ba7816bf-8f01-cfea-4141-40de5dae2223")


def test_a_mail_bounces_to_the_address_of_support_with_its_secret() -> None:
    assert build_envelope_sender("help@desk.example", "5ec2e7") == "help+bounce-5ec2e7@desk.example"
