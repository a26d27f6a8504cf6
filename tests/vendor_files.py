"""Reconciliation files for tests and benchmarks, and the charges that they are compared with."""

import csv
import gzip
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

from services.invoicing.subscriptions.repository.term_queries import NewVendorCharge
from tests.builders import START, Client, Database, account, subscription

MARCH = (date(2026, 3, 1), date(2026, 4, 1))


@dataclass(frozen=True)
class BilledLine:
    """A line of the vendor's; amounts in cents, the period with its last day, as the vendor writes it."""

    subscription: str = "vendor-1"
    customer: str = "tenant-17"
    charge_type: str = "new"
    quantity: int = 10
    subtotal: int = 10080
    tax: int = 0
    starts: date = date(2026, 3, 1)
    ends: date = date(2026, 3, 30)
    currency: str = "EUR"

    def fields(self) -> dict[str, str]:
        """The columns, as text."""
        return {
            "CustomerId": self.customer,
            "SubscriptionId": self.subscription,
            "SkuName": "Business Premium",
            "ChargeType": self.charge_type,
            "UnitPrice": "10.08",
            "EffectiveUnitPrice": "9.408",
            "Quantity": str(self.quantity),
            "Subtotal": decimal(self.subtotal),
            "TaxTotal": decimal(self.tax),
            "Total": decimal(self.subtotal + self.tax),
            "Currency": self.currency,
            "ChargeStartDate": self.starts.isoformat(),
            "ChargeEndDate": f"{self.ends}T00:00:00Z",
            "ReferenceId": "reference-1",
            "PartnerId": "4711",
        }


def decimal(cents: int) -> str:
    """`-1205` → `"-12.05"`."""
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02d}"


def as_csv(lines: Iterable[BilledLine], names: Sequence[str] | None = None) -> bytes:
    """The lines as CSV, with the columns in this order."""
    rows = [line.fields() for line in lines]
    buffer = io.StringIO()
    wanted = list(names or BilledLine().fields())
    writer = csv.writer(buffer)
    writer.writerow(wanted)
    writer.writerows([row[name] for name in wanted] for row in rows)
    return buffer.getvalue().encode()


def as_json_lines(lines: Iterable[BilledLine], *, packed: bool = False, numbers: bool = False) -> bytes:
    """The lines as JSON lines, packed or not; with numbers as numbers or as text."""
    numeric = {"UnitPrice", "EffectiveUnitPrice", "Quantity", "Subtotal", "TaxTotal", "Total"}

    def text(line: BilledLine) -> str:
        members = [
            f"{json.dumps(name)}: {value if numbers and name in numeric else json.dumps(value)}"
            for name, value in line.fields().items()
        ]
        return "{" + ", ".join(members) + "}\n"

    content = "".join(map(text, lines)).encode()
    return gzip.compress(content) if packed else content


def billed_total(lines: Iterable[BilledLine]) -> int:
    """Sum an invoice of these lines, with tax."""
    return sum(line.subtotal + line.tax for line in lines)


def vendor_invoice(total: int = 10080, **more: Any) -> dict[str, Any]:
    """The body of a vendor invoice for March."""
    return {
        "number": f"G{uuid4().hex[:9]}",
        "legal_entity": "GS-DE",
        "currency": "EUR",
        "invoice_date": "2026-04-08",
        "total_minor": total,
        "tax_minor": 0,
    } | more


@dataclass(frozen=True)
class Charge:
    """A charge that we expect to be billed; the period ends before `to`."""

    subscription_id: UUID
    account_id: UUID
    kind: str = "new"
    quantity: int = 10
    amount: int = 10080
    starts: date = date(2026, 3, 1)
    to: date = date(2026, 3, 31)
    currency: str = "EUR"
    charged_on: date = date(2026, 3, 1)


async def expect(database: Database, charges: Iterable[Charge]) -> None:
    """Write charges as the core does."""
    rows = [
        NewVendorCharge(
            id=uuid4(),
            account_id=charge.account_id,
            subscription_id=charge.subscription_id,
            kind=charge.kind,
            reference=uuid4(),
            plan_id=uuid4(),
            version=1,
            cycle_from=charge.starts,
            period_from=charge.starts,
            period_to=charge.to,
            cycle_days=30,
            quantity=charge.quantity,
            unit_cost_minor=1008,
            amount_minor=charge.amount,
            currency=charge.currency,
            charged_on=charge.charged_on,
        )
        for charge in charges
    ]
    async with database.connected("invoicing") as connection:
        await connection.copy_records_to_table(
            "vendor_charges",
            schema_name="invoicing",
            records=[(*row, START) for row in rows],
            columns=[*NewVendorCharge._fields, "accrued_at"],
        )


@dataclass
class World:
    """A customer of ours with a subscription, and the vendor's invoices."""

    client: Client
    database: Database
    account_id: UUID
    subscription_id: UUID

    def charge(self, **more: Any) -> Charge:
        """A charge for the subscription."""
        return replace(Charge(self.subscription_id, self.account_id), **more)

    async def put(self, invoice_id: str, content: bytes, type_: str = "text/csv", **query: Any) -> Any:
        """Send a file."""
        path = f"/v1/vendor-invoices/{invoice_id}/reconciliation"
        headers = self.client.headers | {"content-type": type_}
        return await self.client.http.put(path, content=content, headers=headers, params=query)

    async def record_invoice(self, lines: Sequence[BilledLine], **more: Any) -> str:
        """A vendor invoice of these lines; its id."""
        body = vendor_invoice(billed_total(lines), tax_minor=sum(line.tax for line in lines)) | more
        return str((await self.client.create("/v1/vendor-invoices", body))["id"])

    async def reconcile_lines(self, lines: Sequence[BilledLine], **more: Any) -> dict[str, Any]:
        """Reconcile an invoice of these lines; the answer."""
        answer = await self.put(await self.record_invoice(lines, **more), as_csv(lines))
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    async def differences(self, **asked: Any) -> list[dict[str, Any]]:
        """The work list."""
        return list((await self.client.got("/v1/vendor-differences", **asked))["items"])


async def world(client: Client, database: Database, vendor_id: str = "vendor-1", **more: Any) -> World:
    """A customer with a subscription that the vendor knows as `vendor_id`."""
    owner = (await client.create("/v1/accounts", account(**more)))["id"]
    bought = await client.create("/v1/subscriptions", subscription(owner, vendor_subscription_id=vendor_id))
    return World(client, database, UUID(owner), UUID(bought["id"]))


def days(first: date, count: int) -> tuple[date, date]:
    """A period of so many days: its first and its last day."""
    return first, first + timedelta(days=count - 1)
