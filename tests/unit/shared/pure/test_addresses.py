"""Addresses are those that a letter can be made for and that every next mail hop takes."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from shared.base.settings import Settings
from shared.outside.mail import build_letter, format_mail_sender
from shared.pure.addresses import MailAddressRefused, is_mail_address, parse_mail_address

START = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("billing@account-17.example", "billing@account-17.example"),
        ("A.Person+eu@Account-17.Example", "A.Person+eu@account-17.example"),
        ("o'neil@account-17.example", "o'neil@account-17.example"),
        ("info@müller.example", "info@xn--mller-kva.example"),
        ("info@XN--MLLER-KVA.example", "info@xn--mller-kva.example"),
        ("info@例え.example", "info@xn--r8jz45g.example"),
        ("billing@corp.internal", "billing@corp.internal"),
    ],
)
def test_an_address_is_kept_in_ascii(text: str, kept: str) -> None:
    assert parse_mail_address(text) == kept
    assert is_mail_address(text)
    assert build_letter(uuid4(), sender=kept, to=kept, subject="s", body="b", at=START)["To"] == kept


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a@[",
        "a;b@c.example",
        "a,b@c.example",
        "a@b.example, c@d.example",
        "group:a@b.example;",
        "müller@account-17.example",
        '"a b"@account-17.example',
        "a..b@account-17.example",
        ".a@account-17.example",
        "a@account_17.example",
        "a@account-17.example.",
        "a@-account.example",
        "a@[127.0.0.1]",
        "a@localhost",
        "A Person <a@account-17.example>",
        "a@account-17.example\nBcc: b@account-18.example",
        "a@account-17\u202e.example",
        "a" * 65 + "@account-17.example",
        "a@" + "b" * 64 + ".example",
        "a@" + ".".join(["b" * 60] * 5) + ".example",
    ],
)
def test_what_no_letter_reaches_is_refused(text: str) -> None:
    with pytest.raises(MailAddressRefused):
        parse_mail_address(text)
    assert not is_mail_address(text)


def test_a_sender_that_is_no_address_is_left_for_that_of_the_settings() -> None:
    assert format_mail_sender("Example GmbH", "a@[", "Billing <b@c.example>") == "Billing <b@c.example>"
    mail = build_letter(
        uuid4(), sender="b@c.example", to="a@c.example", subject="s", body="b", at=START, reply_to="a;b@c.example"
    )
    assert mail["Reply-To"] is None


def test_the_settings_take_a_sender_only_with_an_address() -> None:
    values: dict[str, Any] = {
        "database_url": "postgresql://a@b/c",
        "jwks_file": "keys.json",
        "issuer": "https://login.c.example",
    }
    assert Settings(**values, mail_from="Billing <billing@c.example>").mail_from == "Billing <billing@c.example>"
    for sender in ("Billing", "Billing <a@[>", "Billing <a;b@c.example>"):
        with pytest.raises(ValueError, match="address"):
            Settings(**values, mail_from=sender)
