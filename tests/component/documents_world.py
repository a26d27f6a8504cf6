"""Invoicing with a legal entity that sends documents, and the mail hop that takes them."""

import email
import io
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import default
from typing import Any
from uuid import UUID, uuid4

from pypdf import PdfReader

from shared.events.escalation import DisputedLine, DisputeResolved
from shared.process.runtime import Runtime
from tests.builders import Client, Database, account, eur, hear
from tests.component.collections.test_collections import Hop
from tests.component.setting_requests import approve_change

SELLER: dict[str, Any] = {
    "name": "Goodstanding GmbH",
    "address": ["Musterstraße 1", "10115 Berlin"],
    "tax_id": "DE123456789",
    "register_number": "HRB 4711 B",
    "bank_name": "Sparkasse Berlin",
    "iban": "DE02120300000000202051",
    "bic": "BYLADEM1001",
    "footer": "Managing director: A. Person",
    "sends_documents": True,
}


@dataclass
class Papers:
    """Invoicing, and what a test asks of it."""

    runtime: Runtime
    client: Client
    database: Database
    hop: Hop
    heard: int = 0

    async def seller(self, etag: str | None = None, code: str = "GS-DE", **more: Any) -> Any:
        """Say what documents say of us."""
        headers = self.client.headers | ({"if-match": etag} if etag else {})
        path = f"/v1/legal-entities/{code}"
        answer = await self.client.http.put(path, json=SELLER | more, headers=headers)
        if answer.status_code != 202:
            return answer
        await approve_change(self.client, answer)
        return await self.client.get(path)

    async def account(self, **more: Any) -> str:
        """Register an account; its id."""
        return str((await self.client.create("/v1/accounts", account(**more)))["id"])

    async def document(self, path: str, accept: str = "text/html", **parameters: Any) -> Any:
        """Ask for a document."""
        headers = self.client.headers | {"accept": accept}
        return await self.client.http.get(f"/v1/{path}/document", params=parameters, headers=headers)

    async def credit(self, owner: str, invoice_id: str, amount: int, line: int = 1) -> str:
        """Dispute a part of a line, and uphold it; the id of the credit note."""
        dispute = uuid4()
        lines = [{"line": line, "amount_minor": amount}]
        body = {"dispute_id": str(dispute), "invoice_id": invoice_id, "lines": lines}
        await self.client.create("/v1/reservations", body)
        self.heard += 1
        event = DisputeResolved(
            account_id=UUID(owner),
            dispute_id=dispute,
            invoice_id=UUID(invoice_id),
            outcome="upheld",
            case_id=uuid4(),
            currency="EUR",
            lines=(DisputedLine(line=line, amount_minor=amount),),
        )
        await hear(self.runtime, event, sequence=self.heard)
        return str(await self.database.value("SELECT id FROM invoicing.credit_notes WHERE dispute_id = $1", dispute))

    async def pay(self, owner: str, minor: int, **more: Any) -> str:
        """Receive a payment; its id."""
        return str((await self.client.create("/v1/payments", {"account_id": owner, "amount": eur(minor)} | more))["id"])

    def letters(self) -> list[EmailMessage]:
        """List the mails that the hop has taken."""
        mails = [email.message_from_bytes(content, policy=default) for content in self.hop.taken]
        assert all(isinstance(mail, EmailMessage) for mail in mails)
        return mails


def text(pdf: bytes) -> str:
    """All text of a PDF, its white space as single blanks."""
    return " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages).split())
