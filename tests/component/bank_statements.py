"""Bank statements for tests: camt.053 as banks write it, in the shape of an early and of a late version."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import uuid4
from xml.sax.saxutils import escape

import httpx2

from tests.builders import Client

IBAN = "DE02120300000000202051"


@dataclass(frozen=True)
class Paid:
    """An entry of a statement; the amount in minor units of a currency with two decimals."""

    text: str
    amount: int
    currency: str = "EUR"
    payer: str = "Somebody"
    reference: str | None = field(default_factory=lambda: uuid4().hex)
    direction: str = "CRDT"
    status: str = "BOOK"
    day: str = "2026-03-30"
    more: str = ""
    """Elements of the entry, before its details."""
    details: str = ""
    """Elements of its transaction."""

    def xml(self, *, late: bool = True) -> str:
        """The entry, as version 8 has it, or version 2."""
        status = f"<Cd>{self.status}</Cd>" if late else self.status
        name = f"<Nm>{escape(self.payer)}</Nm>"
        payer = f"<Pty>{name}</Pty>" if late else name
        reference = "" if self.reference is None else f"<AcctSvcrRef>{escape(self.reference)}</AcctSvcrRef>"
        return (
            f'<Ntry><Amt Ccy="{self.currency}">{Decimal(self.amount).scaleb(-2)}</Amt>'
            f"<CdtDbtInd>{self.direction}</CdtDbtInd>{self.more}<Sts>{status}</Sts>"
            f"<BookgDt><Dt>{self.day}</Dt></BookgDt>{reference}<NtryDtls><TxDtls>"
            f"<RltdPties><Dbtr>{payer}</Dbtr></RltdPties><RmtInf><Ustrd>{escape(self.text)}</Ustrd></RmtInf>"
            f"{self.details}</TxDtls></NtryDtls></Ntry>"
        )


def build_camt_statement(
    entries: Iterable[Paid | str], *, version: str = "08", day: str = "2026-03-30", account: str = IBAN
) -> bytes:
    """Build a statement of one account with these entries (or what stands for one) and a closing balance."""
    statement = "".join(entry if isinstance(entry, str) else entry.xml(late=version > "03") for entry in entries)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version}"><BkToCstmrStmt>'
        f"<GrpHdr><MsgId>{uuid4()}</MsgId></GrpHdr><Stmt><Id>112</Id><Acct><Id><IBAN>{account}</IBAN></Id></Acct>"
        f"<Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp><Dt><Dt>{day}</Dt></Dt></Bal>{statement}"
        "</Stmt></BkToCstmrStmt></Document>"
    ).encode()


def join_statements(*documents: bytes) -> bytes:
    """Put the statements of these documents into one."""
    first, *others = documents
    end = b"</BkToCstmrStmt>"
    more = [body[body.index(b"<Stmt>") : body.index(end)] for body in others]
    return first.replace(end, b"".join(more) + end)


async def send(client: Client, body: bytes, kind: str = "application/xml", **parameters: str) -> httpx2.Response:
    """Import a file; the answer."""
    headers = client.headers | {"idempotency-key": str(uuid4()), "content-type": kind}
    return await client.http.post("/v1/bank-imports", content=body, headers=headers, params=parameters)


async def import_statement(
    client: Client, body: bytes, kind: str = "application/xml", **parameters: str
) -> dict[str, Any]:
    """Import a file that must be accepted."""
    answer = await send(client, body, kind, **parameters)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())
