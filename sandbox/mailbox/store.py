"""The messages that were received: one file each, and an index of all in memory."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parseaddr
from itertools import islice
from pathlib import Path

OUR_HEADERS = b"X-Received-At: %s\r\nX-Envelope-To: %s\r\n"
"""Put in front of what the client sent, so that a message file says everything about itself."""


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """Entry of the index for one message."""

    id: str
    """Grows with the order of arrival."""
    message_id: str
    """The `Message-ID` header: the same for every attempt to send the same mail."""
    to: tuple[str, ...]
    """The addresses of the envelope, in lower case."""
    subject: str
    received_at: datetime
    """UTC, by the system's clock; the mail's own `Date` is by the sender's."""
    text: str
    """The plain text part."""


class MailStore:
    """A folder with one `.eml` file for each message; what is there already is read at the start."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._messages: dict[str, StoredMessage] = {}
        self._last = 0
        folder.mkdir(parents=True, exist_ok=True)
        for path in sorted(folder.glob("*.eml")):
            self._index(path.stem, path.read_bytes())

    def keep_mail(self, recipients: list[str], content: bytes) -> StoredMessage:
        """Write a message down, then list it."""
        now = datetime.now(UTC).isoformat()
        identifier = f"{self._last + 1:09}"
        # An address may not break out of its header line.
        addresses = ", ".join(recipient.replace("\r", "").replace("\n", "") for recipient in recipients)
        whole = OUR_HEADERS % (now.encode(), addresses.encode()) + content
        fresh = self._folder / f"{identifier}.new"
        fresh.write_bytes(whole)
        fresh.rename(self._folder / f"{identifier}.eml")
        return self._index(identifier, whole)

    def page(self, to: str | None, after: str, limit: int) -> list[StoredMessage]:
        """The messages after an id, in the order of arrival; to one recipient, if one is named."""
        wanted = None if to is None else to.lower()
        later = (message for message in self._since(after) if wanted is None or wanted in message.to)
        return list(islice(later, limit))

    def get_newest_mail(self, limit: int) -> list[StoredMessage]:
        """The last messages, the newest first."""
        return list(islice(reversed(self._messages.values()), limit))

    def get(self, identifier: str) -> StoredMessage | None:
        """One message of the index."""
        return self._messages.get(identifier)

    def read_mail_content(self, identifier: str) -> str | None:
        """A message as it was received, with our own headers in front."""
        if identifier not in self._messages:
            return None
        return (self._folder / f"{identifier}.eml").read_text(encoding="utf-8", errors="replace")

    def count_mails(self) -> tuple[int, int]:
        """How many messages there are, and how many different mails (by `Message-ID`) they are."""
        return len(self._messages), len({message.message_id for message in self._messages.values()})

    def _since(self, after: str) -> Iterator[StoredMessage]:
        if not after:
            yield from self._messages.values()
            return
        # The ids are consecutive numbers, so the place is known without a search.
        start = int(after) if after.isdigit() else 0
        yield from islice(self._messages.values(), start, None)

    def _index(self, identifier: str, whole: bytes) -> StoredMessage:
        mail = message_from_bytes(whole, _class=EmailMessage, policy=policy.default)
        body = mail.get_body(("plain",))
        message = StoredMessage(
            id=identifier,
            message_id=str(mail.get("Message-ID", "")).strip(),
            to=tuple(parseaddr(address)[1].lower() for address in str(mail["X-Envelope-To"]).split(", ")),
            subject=str(mail.get("Subject", "")),
            received_at=datetime.fromisoformat(str(mail["X-Received-At"])),
            text="" if body is None else str(body.get_content()),
        )
        self._messages[identifier] = message
        self._last = int(identifier)
        return message
