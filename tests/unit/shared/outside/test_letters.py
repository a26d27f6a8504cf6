"""Subjects of letters arrive as they were written, whatever their alphabet and wherever their lines break."""

import io
from email import message_from_bytes, policy
from email.generator import BytesGenerator
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.outside.mail import fold_mail_headers

WORDS = st.lists(st.text("abcdefgh:!,?äöüéàçпоследнуважти", min_size=1, max_size=30), min_size=1, max_size=12)
LONGEST_LINE = 76
"""Characters of a line with an encoded word, at most (RFC 2047, 2)."""


def send(subject: str) -> bytes:
    """Send a letter with this subject as a mail client does; what it puts onto the wire."""
    mail = EmailMessage()
    mail["To"] = "billing@account-17.example"
    mail["Subject"] = subject
    mail.set_content("Guten Tag")
    wire = io.BytesIO()
    BytesGenerator(wire, policy=policy.SMTP).flatten(fold_mail_headers(mail))
    return wire.getvalue()


@pytest.mark.parametrize(
    "subject",
    [
        "Последнее уведомление: оплата просрочена",
        "[обращение 48] ответ на вопрос: что такое строка 3?",
        "Letzte Mahnung: Zahlung überfällig für Rechnung GS-DE-2026-000017 und weitere",
        "Payment overdue",
    ],
)
def test_the_subjects_of_our_letters_arrive(subject: str) -> None:
    assert message_from_bytes(send(subject), policy=policy.default)["Subject"] == subject


@given(WORDS.map(" ".join))
def test_any_subject_arrives_on_lines_that_are_short(subject: str) -> None:
    wire = send(subject)
    assert message_from_bytes(wire, policy=policy.default)["Subject"] == subject
    encoded = [line for line in wire.split(b"\r\n\r\n")[0].split(b"\r\n") if b"=?" in line]
    assert all(len(line) <= LONGEST_LINE for line in encoded)
    assert wire.isascii()
