"""Mail that came in, read with bounds: what others wrote is text, never more, and breaks nothing here."""

import hashlib
import re
from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message
from itertools import islice
from uuid import UUID

from services.escalation.domain.inbound_mails import (
    MAX_CONTENT_CHARS,
    InboundMail,
    InboundMailFile,
    MailBounce,
    find_permanent_bounce_code,
    is_automatic_mail,
)
from services.escalation.mail.mail_beginnings import find_mail_sender, read_mail_beginning
from services.escalation.mail.mail_decoding import (
    clean_mail_line,
    clean_mail_text,
    convert_html_mail,
    decode_header_value,
    decode_mail_bytes,
)

MAX_HEAD_BYTES = 256 * 1024
MAX_LINES = 400_000
MAX_NESTINGS = 200
"""How often a mail may speak of parts and boundaries: reading takes as long as they are deep."""
MAX_PARTS = 200
MAX_DEPTH = 10
MAX_HEADER_CHARS = 32 * 1024
MAX_HEADERS = 500
"""How many a message or a part has at most."""
MAX_TEXT_CHARS = MAX_CONTENT_CHARS + 5000
"""How much of the text is cleaned."""
MAX_FILES = 50
MAX_CALENDAR_BYTES = 4096
"""How much of a calendar object is searched for what it is."""
_NESTING = re.compile(rb"boundary|message/|multipart/", re.IGNORECASE)
_CALENDAR_ANSWER = re.compile(rb"^METHOD:REPLY\s*$", re.IGNORECASE | re.MULTILINE)
_BETWEEN_ADDRESSES = re.compile(r"[\s<>,;:()\"]+")
_MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,250}>")
_OWN_MESSAGE_ID = re.compile(r"<([0-9a-f-]{36})\.([0-9a-f]{32})@goodstanding>")
_DIGESTED = ("from", "to", "cc", "date", "subject", "message-id", "in-reply-to", "content-type", "auto-submitted")
"""Headers that stay as they are on every way; what relays add is none of them."""
_RECIPIENTS = ("to", "cc", "delivered-to", "x-original-to", "envelope-to")


class UnreadableMail(Exception):
    """The mail has more, or is nested deeper, than is read."""


class _BoundedMessage(Message):
    """A message whose headers are bounded: the reading of parameters takes as long as the square of their number."""

    def set_raw(self, name: str, value: str) -> None:
        """Keep a header as it came. Raises UnreadableMail."""
        if len(value) > MAX_HEADER_CHARS or len(self) >= MAX_HEADERS:
            raise UnreadableMail
        super().set_raw(name, value)


def parse_inbound_mail(content: bytes) -> InboundMail:
    """Read a mail (RFC 5322); of one beyond the bounds, or that no parser can read, only the sender and subject.

    Whatever a mail brings the parsers to raise would quote it, so that goes nowhere.
    """
    digest = hashlib.sha256(content).hexdigest()
    try:
        _check_bounds(content)
        message = message_from_bytes(content, _BoundedMessage)
        return _build_mail(message, list(_walk(message)), content)
    except Exception:  # noqa: BLE001  # what others wrote breaks nothing here
        sender, subject = read_mail_beginning(content)
        return InboundMail(digest, sender=sender, subject=subject, is_readable=False)


def _check_bounds(content: bytes) -> None:
    text = content.replace(b"\r\n", b"\n")
    head, _, _ = text.partition(b"\n\n")
    if len(head) > MAX_HEAD_BYTES or text.count(b"\n") + text.count(b"\r") > MAX_LINES:
        raise UnreadableMail
    if sum(1 for _ in _NESTING.finditer(content)) > MAX_NESTINGS:
        raise UnreadableMail


def _walk(message: Message, depth: int = 0) -> Iterator[Message]:
    """Walk the parts that have none of their own, and those that are messages. Raises UnreadableMail."""
    pending = [(message, depth, True)]
    for _ in range(MAX_PARTS):
        if not pending:
            return
        part, depth, wants_text = pending.pop()
        if depth > MAX_DEPTH:
            raise UnreadableMail
        if part.get_content_maintype() == "multipart" and part.is_multipart():
            children = [child for child in part.get_payload() if isinstance(child, Message)]
            chosen = _choose_children(part, children, wants_text)
            pending += [(child, depth + 1, has_text) for child, has_text in reversed(chosen)]
        elif wants_text or not _is_text(part):
            yield part
    raise UnreadableMail


def _choose_children(part: Message, children: list[Message], wants_text: bool) -> list[tuple[Message, bool]]:
    """Choose of alternatives the plain text if it says anything, else the last one, the best (RFC 2046, 5.1.4).

    Some clients put the files of a mail into one of its alternatives: of those not chosen the files are taken, without
    their text and without the pictures that belong to it.
    """
    if part.get_content_subtype() != "alternative" or not children:
        is_shown = wants_text or part.get_content_subtype() == "mixed"
        return [(child, wants_text) for child in children] if is_shown else []
    worded = [child for child in children if not _is_blank(child)] or children
    text = next((child for child in worded if child.get_content_type() == "text/plain"), worded[-1])
    return [
        (child, wants_text and child is text)
        for child in children
        if child is text or child.get_content_type() == "multipart/mixed"
    ]


def _is_blank(part: Message) -> bool:
    """Say whether a part is a plain text of which nothing can be seen."""
    return part.get_content_type() == "text/plain" and not clean_mail_text(_read_text(part)[:MAX_TEXT_CHARS])


def _build_mail(message: Message, parts: list[Message], content: bytes) -> InboundMail:
    headers = _read_headers(message)
    texts = [part for part in parts if _is_text(part)]
    whole = "\n\n".join(_read_text(part) for part in texts)
    text = clean_mail_text(whole[:MAX_TEXT_CHARS])
    files = tuple(_read_file(part) for part in parts if not _is_text(part))
    return InboundMail(
        digest=_compute_digest(headers, content),
        message_id=_find_message_id(headers.get("message-id", "")),
        sender=find_mail_sender([str(value) for name, value in message.raw_items() if name.lower() == "from"]),
        subject=clean_mail_line(decode_header_value(headers.get("subject", ""))),
        content=text[:MAX_CONTENT_CHARS],
        is_cut=len(text) > MAX_CONTENT_CHARS or len(whole) > MAX_TEXT_CHARS,
        recipients=tuple(_find_recipients(message)),
        is_automatic=is_automatic_mail(headers) or _is_report(message),
        bounce=_read_bounce(message, parts),
        files=files[:MAX_FILES],
        omitted_files=tuple(file.name for file in files[MAX_FILES:]),
    )


def _read_headers(message: Message) -> dict[str, str]:
    """Read the first header of each name, in small letters, unfolded."""
    headers: dict[str, str] = {}
    for name, value in message.raw_items():
        text = re.sub(r"\r?\n(?=[ \t])", "", str(value))[:MAX_HEADER_CHARS]
        headers.setdefault(name.lower(), text)
    return headers


def _compute_digest(headers: dict[str, str], content: bytes) -> str:
    """Compute the digest of what is the same on every way of a mail."""
    digest = hashlib.sha256()
    for name in _DIGESTED:
        digest.update(f"{name}:{headers.get(name, '')}\n".encode("utf-8", "surrogateescape"))
    _, _, body = content.replace(b"\r\n", b"\n").partition(b"\n\n")
    digest.update(body.rstrip(b"\n"))
    return digest.hexdigest()


def _find_message_id(text: str) -> str | None:
    match = _MESSAGE_ID.fullmatch(text.strip())
    return match[0] if match else None


def _find_recipients(message: Message) -> Iterator[str]:
    for name, value in message.raw_items():
        if name.lower() in _RECIPIENTS:
            words = _BETWEEN_ADDRESSES.split(str(value)[:MAX_HEADER_CHARS])
            yield from (word for word in words if word.count("@") == 1)


def _is_text(part: Message) -> bool:
    is_file = part.get_content_disposition() == "attachment" or part.get_filename() is not None
    return part.get_content_type() in ("text/plain", "text/html") and not is_file


def _read_text(part: Message) -> str:
    text = decode_mail_bytes(_read_payload(part), part.get_content_charset())
    return convert_html_mail(text) if part.get_content_subtype() == "html" else text


def _read_payload(part: Message) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _read_file(part: Message) -> InboundMailFile:
    name = clean_mail_line(decode_header_value(part.get_filename() or ""))
    return InboundMailFile(name or clean_mail_line(part.get_content_type()[:100]), _read_payload(part))


def _read_bounce(message: Message, parts: list[Message]) -> MailBounce | None:
    """Read a delivery status (RFC 3464), with the secrets of the mail that it returns; None where it is none."""
    statuses = [part for part in parts if part.get_content_type() == "message/delivery-status"]
    if message.get_content_type() != "multipart/report" or not statuses:
        return None
    blocks = [block for part in statuses for block in _list_blocks(part)]
    code = find_permanent_bounce_code(
        [(str(block.get("Action", "")), str(block.get("Status", ""))) for block in blocks]
    )
    secrets = {secret for part in parts for secret in _find_returned(part)}
    envelope_ids = (str(block.get("Original-Envelope-Id", "")).strip().lower() for block in blocks)
    secrets |= {text for text in envelope_ids if re.fullmatch("[0-9a-f]{32}", text)}
    return MailBounce(frozenset(secrets), code)


def _is_report(message: Message) -> bool:
    """Say whether a mail is a report, as of its reading (RFC 8098), or the answer of a calendar (RFC 6047, 2.4)."""
    parts = [message]
    for part in islice(parts, MAX_PARTS):
        if part.get_content_maintype() == "multipart":
            parts += _list_blocks(part)
    return message.get_content_type() == "multipart/report" or any(map(_is_calendar_answer, parts))


def _is_calendar_answer(part: Message) -> bool:
    if part.get_content_type() != "text/calendar":
        return False
    method = part.get_param("method")
    if method is None:
        return _CALENDAR_ANSWER.search(_read_payload(part)[:MAX_CALENDAR_BYTES]) is not None
    return str(method).lower() == "reply"


def _list_blocks(part: Message) -> list[Message]:
    payload = part.get_payload()
    return [block for block in payload if isinstance(block, Message)] if isinstance(payload, list) else []


def _find_returned(part: Message) -> Iterator[str]:
    """Find the secret of the Message-ID that is returned with a delivery status."""
    if part.get_content_type() == "message/rfc822":
        heads = _list_blocks(part)
    elif part.get_content_type() == "text/rfc822-headers":
        heads = [message_from_bytes(_read_payload(part)[:MAX_HEAD_BYTES])]
    else:
        return
    for head in heads:
        match = _OWN_MESSAGE_ID.fullmatch(str(head.get("Message-ID", "")).strip())
        if match and _is_uuid(match[1]):
            yield match[2]


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
