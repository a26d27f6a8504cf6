"""Who wrote a mail and about what, by its head: also where nothing else of it can be read."""

import re
from collections.abc import Sequence

from services.escalation.mail.mail_decoding import clean_mail_line, decode_header_value
from shared.pure.addresses import MailAddressRefused, parse_mail_address
from shared.pure.hidden_characters import normalise_line_breaks

MAX_SENDER_CHARS = 1000
MAX_BEGINNING_BYTES = 64 * 1024
MAX_SUBJECT_CHARS = 2000
"""How much of a subject is decoded."""
_ADDRESS = r"[^\s<>@,;:()\"]+@[^\s<>@,;:()\"]+"
_SENDER = re.compile(rf'(?:"(?:[^"\\]|\\.)*"|[^"<>,@]*)\s*<({_ADDRESS})>|({_ADDRESS})')
_FOLDING = re.compile(r"(?:\r?\n|\r)(?=[ \t])")


def find_mail_sender(values: Sequence[str]) -> str | None:
    """Find the one address that a mail is from; None where it says none, or several, or one that cannot be read."""
    if len(values) != 1:
        return None
    match = _SENDER.fullmatch(_FOLDING.sub("", values[0])[:MAX_SENDER_CHARS].strip())
    try:
        return None if match is None else parse_mail_address(match[1] or match[2]).lower()
    except MailAddressRefused:
        return None


def read_mail_beginning(content: bytes) -> tuple[str | None, str]:
    """Read the sender and the subject of a mail from its first lines, without a parser."""
    beginning = normalise_line_breaks(content[:MAX_BEGINNING_BYTES].decode("utf-8", "surrogateescape"))
    lines = _FOLDING.sub("", beginning.partition("\n\n")[0]).split("\n")
    headers = [(name.strip().lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    senders = [value for name, value in headers if name == "from"]
    subject = next((value for name, value in headers if name == "subject"), "")
    return find_mail_sender(senders), _decode_line(subject[:MAX_SUBJECT_CHARS])


def _decode_line(text: str) -> str:
    try:
        return clean_mail_line(decode_header_value(text))
    except Exception:  # noqa: BLE001  # what others wrote breaks nothing here
        return ""
