"""Collections on real Postgres: it hears invoicing, asks it for fresh balances, and writes to a real mail server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from deploy.local.tokens import SigningKeyPair
from services.collections.use_cases import suspension_check
from shared.contracts.invoice_balances import MOST_BALANCES
from shared.events.entitlements import SubscriptionReinstated, SubscriptionSuspended
from shared.events.invoicing import (
    InvoiceBalance,
    InvoiceBalanceChanged,
    InvoiceIssued,
    InvoiceOverdue,
)
from shared.events.values import LineBalance
from shared.process.runtime import Runtime
from shared.pure.errors import RetryLater
from shared.web.clients import RefusedByService
from tests.builders import START, Client, Database, build_registered, hear, running, sweep, work

STANDARD = (Path(__file__).parents[3] / "sandbox" / "policies" / "standard.yaml").read_text()
DUE = date(2026, 3, 10)


@dataclass
class Hop:
    """The next mail hop: keeps what it takes, refuses when told."""

    taken: list[bytes] = field(default_factory=list)
    senders: list[str] = field(default_factory=list)
    """Of the envelopes."""
    answer: str = "250 taken"
    recipient_answer: str = "250 ok"

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any) -> str:
        if self.recipient_answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.recipient_answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.answer.startswith("250"):
            assert isinstance(envelope.content, bytes)
            self.taken.append(envelope.content)
            self.senders.append(str(envelope.mail_from))
        return self.answer


@dataclass
class Invoicing:
    """The answers of invoicing."""

    balances: dict[UUID, dict[str, Any]] = field(default_factory=dict)
    away: bool = False
    most: int = MOST_BALANCES
    bank: dict[str, Any] | None = None
    exposure: dict[str, Any] | None = None
    facts: dict[str, Any] = field(
        default_factory=lambda: {
            "name": "Account 17",
            "billing_email": "billing@account-17.example",
            "language": "en",
            "seller": None,
        }
    )

    async def get(self, path: str) -> Any:
        if path.endswith("/bank-knowledge"):
            return self._require_answer(self.bank)
        if path.endswith("/exposure"):
            return self._require_answer(self.exposure)
        raise AssertionError(path)

    async def post(self, path: str, body: Any, *, key: str | None = None) -> Any:
        if path.endswith("/notice-facts"):
            return self.facts | {
                "account_id": path.split("/")[3],
                "invoices": [self._state_invoice(UUID(id_)) for id_ in body["invoice_ids"]],
                "subscriptions": [{"subscription_id": id_, "product": "Desktop"} for id_ in body["subscription_ids"]],
            }
        if self.away:
            raise RetryLater("invoicing is away")
        if len(body["invoice_ids"]) > self.most:
            raise RefusedByService(422, {"code": "invalid_request", "detail": "invoice_ids: too many"})
        return {"balances": [self.balances[UUID(invoice_id)] for invoice_id in body["invoice_ids"]]}

    def _state_invoice(self, invoice_id: UUID) -> dict[str, Any]:
        supply = {"text": "Desktop", "period_from": "2026-03-01", "period_to": "2026-04-01"}
        balance = self.balances[invoice_id]
        stated = {name: balance[name] for name in ("number", "currency", "due_date", "total_minor")}
        return stated | {
            "invoice_id": str(invoice_id),
            "payment_reference": f"RF00{balance['number']}",
            "supplies": [supply],
        }

    def _require_answer(self, answer: dict[str, Any] | None) -> dict[str, Any]:
        if answer is None:
            raise RetryLater("invoicing is away")
        return answer

    async def close(self) -> None:
        pass


@dataclass
class World:
    """One account with one subscription, and the rest of the world around collections."""

    runtime: Runtime
    client: Client
    database: Database
    hop: Hop
    invoicing: Invoicing
    account_id: UUID = field(default_factory=uuid4)
    subscription_id: UUID = field(default_factory=uuid4)
    sequence: int = 0

    async def hear(self, event: Any) -> None:
        self.sequence += 1
        await hear(self.runtime, event, sequence=self.sequence)

    def balance(self, invoice_id: UUID, open_minor: int, disputed: int = 0) -> InvoiceBalance:
        line = LineBalance(
            line=1,
            subscription_id=self.subscription_id,
            open_minor=open_minor,
            disputed_minor=disputed,
            in_flight_minor=0,
            written_off_minor=0,
        )
        balance = InvoiceBalance(
            invoice_id=invoice_id,
            number=f"GS-{str(invoice_id)[-4:]}",
            currency="EUR",
            due_date=DUE,
            total_minor=1000,
            open_minor=open_minor,
            disputed_minor=disputed,
            in_flight_minor=0,
            credited_minor=0,
            written_off_minor=0,
            lines=(line,),
        )
        self.invoicing.balances[invoice_id] = balance.model_dump(mode="json") | {
            "account_id": str(self.account_id),
            "sequence": self.sequence + 1,
            "changed_at": self.database.now.isoformat(),
        }
        return balance

    async def issue(self) -> UUID:
        invoice_id = uuid4()
        event = InvoiceIssued(
            account_id=self.account_id,
            issue_date=START.date(),
            external_reference=None,
            balance=self.balance(invoice_id, 1000),
        )
        await self.hear(event)
        return invoice_id

    async def change_balance(self, invoice_id: UUID, open_minor: int, disputed: int = 0) -> None:
        balance = self.balance(invoice_id, open_minor, disputed)
        await self.hear(InvoiceBalanceChanged(account_id=self.account_id, balance=balance))

    async def overdue(self, invoice_id: UUID) -> None:
        balance = self.balance(invoice_id, 1000)
        await self.hear(InvoiceOverdue(account_id=self.account_id, evaluated_at=self.database.now, balance=balance))

    async def day(self, days: int, hour: int = 9) -> None:
        """Go to an hour of a day counted from the due date, and let everything due happen."""
        await self.database.move(datetime(DUE.year, DUE.month, DUE.day, hour, tzinfo=UTC) + timedelta(days=days))
        await sweep(self.runtime)
        await work(self.runtime)

    async def events(self, kind: str) -> list[str]:
        rows = await self.database.rows(
            "SELECT data FROM collections.outbox WHERE type LIKE $1 ORDER BY position", f"%.{kind}.%"
        )
        return [row["data"] for row in rows]

    async def to_suspension(self) -> UUID:
        """Go on to the day of the suspension with every notice sent."""
        invoice_id = await self.issue()
        await self.day(-3)
        await self.day(1, 0)
        await self.overdue(invoice_id)
        for day in (1, 7, 14, 21):
            await self.day(day)
        return invoice_id

    async def standing(self) -> dict[str, Any]:
        return await self.client.got(f"/v1/accounts/{self.account_id}/standing")


@asynccontextmanager
async def mailbox(hop: Hop) -> AsyncIterator[int]:
    """A mail server in this process that hands what it gets to the hop; its port."""
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(hop), "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()


@pytest.fixture
async def world(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[World]:
    hop, invoicing = Hop(), Invoicing()
    async with (
        mailbox(hop) as port,
        running("collections", database, keys, jwks_file, smtp_port=port) as (runtime, client),
    ):
        runtime.clients._clients["invoicing"] = invoicing  # type: ignore[assignment]
        made = World(runtime, client, database, hop, invoicing)
        await publish(client, STANDARD)
        await made.hear(build_registered(made.account_id, terms_days=8))
        yield made


async def publish(client: Client, document: str, effective: str = "2026-03-02") -> dict[str, Any]:
    body = {"document": document, "effective_date": effective, "reason": "first version"}
    return await client.create("/v1/policies", body)


async def test_from_the_first_reminder_to_suspension_and_back(world: World) -> None:
    invoice_id = await world.to_suspension()
    assert len(world.hop.taken) == 4
    requested = await world.events("SuspensionRequested")
    assert len(requested) == 1
    assert str(invoice_id) in requested[0]
    suspension = (await world.standing())["suspensions"][0]
    verdict = await world.client.got(f"/v1/suspensions/{suspension['id']}/confirmation")
    assert verdict["verdict"] == "stands"
    common = {"account_id": world.account_id, "subscription_id": world.subscription_id}
    await world.hear(
        SubscriptionSuspended(
            **common, suspension_id=suspension["id"], hold_reasons=("non_payment",), vendor_bills_on=True
        )
    )
    standing = await world.standing()
    assert (standing["state"], standing["suspensions"][0]["vendor_bills_on"]) == ("suspended", True)
    assert [step["outcome"] for step in standing["items"][0]["steps"]] == [*["sent"] * 4, "requested", None]
    await world.change_balance(invoice_id, 0)
    assert len(await world.events("ReinstatementRequested")) == 1
    assert len(await world.events("DunningCaseClosed")) == 1
    await world.hear(SubscriptionReinstated(**common, suspension_id=suspension["id"], renewal_restored=True))
    await world.database.move(minutes=5)
    await work(world.runtime)
    assert (await world.standing())["state"] == "good_standing"
    assert any(b"Subject: Access is restored" in mail for mail in world.hop.taken[-2:])  # with that of the suspension


async def test_a_refused_final_notice_defers_the_suspension_until_it_was_sent_again(world: World) -> None:
    invoice_id = await world.issue()
    await world.day(1, 0)
    await world.overdue(invoice_id)
    await world.day(1)
    await world.day(7)
    world.hop.answer = "550 no such mailbox"
    await world.day(14)
    await world.day(21)
    assert await world.events("SuspensionRequested") == []
    assert len(await world.events("NoticeFailed")) == 1
    deferred = (await world.standing())["deferred"]
    assert "final_notice has not reached the next hop" in deferred[0]["cause"]
    assert len(await world.events("StepDeferred")) == 1
    world.hop.answer = "250 taken"
    failed = next(notice for notice in (await world.standing())["notices"] if notice["state"] == "failed")
    await world.client.create(f"/v1/notices/{failed['id']}:retry", {"reason": "address mended"})
    await work(world.runtime)
    await world.day(27)
    assert await world.events("SuspensionRequested") == []
    await world.day(28)
    assert len(await world.events("SuspensionRequested")) == 1


async def test_no_answer_from_invoicing_means_no_suspension(world: World) -> None:
    world.invoicing.away = True
    await world.to_suspension()
    assert await world.events("SuspensionRequested") == []
    world.invoicing.away = False
    await world.day(21, 10)
    assert len(await world.events("SuspensionRequested")) == 1


async def test_an_account_with_more_invoices_than_one_request_takes_is_suspended(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.invoicing.most = 2
    monkeypatch.setattr(suspension_check, "MOST_BALANCES", world.invoicing.most)
    for _ in range(2):
        await world.issue()
    await world.to_suspension()
    assert len(await world.events("SuspensionRequested")) == 1


@pytest.mark.parametrize("field", ["lines", "sequence", "changed_at"])
async def test_a_balance_that_cannot_be_read_means_no_suspension_yet(world: World, field: str) -> None:
    invoice_id = await world.issue()
    await world.day(-3)
    await world.day(1, 0)
    await world.overdue(invoice_id)
    for day in (1, 7, 14):
        await world.day(day)
    removed = world.invoicing.balances[invoice_id].pop(field)
    await world.day(21)
    assert await world.events("SuspensionRequested") == []
    error = await world.database.value("SELECT last_error FROM collections.intents WHERE state = 'pending'")
    assert error == f"the answer is no FreshInvoiceBalances: balances.0.{field} (missing)"
    world.invoicing.balances[invoice_id][field] = removed
    await world.day(21, 10)
    assert len(await world.events("SuspensionRequested")) == 1


async def test_a_payment_that_no_event_told_yet_stops_the_suspension(world: World) -> None:
    invoice_id = await world.issue()
    await world.day(1, 0)
    await world.overdue(invoice_id)
    for day in (1, 7, 14):
        await world.day(day)
    world.balance(invoice_id, 0)
    await world.day(21)
    assert await world.events("SuspensionRequested") == []
    assert (await world.standing())["state"] == "good_standing"


async def test_a_dispute_between_request_and_vendor_withdraws_and_its_rejection_requests_anew(world: World) -> None:
    invoice_id = await world.to_suspension()
    suspension = (await world.standing())["suspensions"][0]
    world.balance(invoice_id, 1000, disputed=1000)
    verdict = await world.client.got(f"/v1/suspensions/{suspension['id']}/confirmation")
    assert verdict["verdict"] == "withdrawn"
    assert len(await world.events("SuspensionWithdrawn")) == 1
    world.sequence += 1
    await world.database.move(hours=20)
    await world.change_balance(invoice_id, 1000)
    assert len(await world.events("SuspensionRequested")) == 1
    await world.day(22)
    assert len(await world.events("SuspensionRequested")) == 1
    final_notices = [notice for notice in await world.events("NoticeSent") if '"final_notice"' in notice]
    assert len(final_notices) == 2
    await world.day(28)
    assert len(await world.events("SuspensionRequested")) == 1
    await world.day(29)
    assert len(await world.events("SuspensionRequested")) == 2


async def test_the_guard_stops_and_a_person_lets_go_on(world: World) -> None:
    stopped = await world.client.create("/v1/guard:stop", {"reason": "payments file is late"})
    assert stopped["stopped"] is True
    await world.to_suspension()
    assert await world.events("SuspensionRequested") == []
    assert (await world.standing())["deferred"][0]["cause"] == "all suspensions are stopped"
    await world.client.create("/v1/guard:resume", {"reason": "file arrived"})
    await sweep(world.runtime)
    await work(world.runtime)
    assert len(await world.events("SuspensionRequested")) == 1
    decisions = (await world.client.got("/v1/guard/decisions"))["items"]
    assert [(decision["decision"], decision["actor"]) for decision in decisions] == [
        ("resume", "operator"),
        ("stop", "operator"),
    ]


async def test_above_number_and_share_the_guard_waits_for_a_person(world: World) -> None:
    tight = STANDARD.replace("suspensions_per_hour: 1000", "suspensions_per_hour: 0").replace(
        "share_of_accounts_percent: 100", "share_of_accounts_percent: 0"
    )
    assert tight != STANDARD
    await publish(world.client, tight, "2026-03-03")
    await world.database.move(days=1)
    await world.to_suspension()
    assert await world.events("SuspensionRequested") == []
    assert "a person must approve" in (await world.standing())["deferred"][0]["cause"]
    await world.client.create("/v1/guard:approve", {"reason": "looked at each"})
    await sweep(world.runtime)
    await work(world.runtime)
    assert len(await world.events("SuspensionRequested")) == 1


async def test_steps_of_one_instant_go_out_as_one_message(world: World) -> None:
    first, second = await world.issue(), await world.issue()
    await world.day(-3)
    assert len(world.hop.taken) == 1
    for invoice_id in (first, second):
        assert f"GS-{str(invoice_id)[-4:]}".encode() in world.hop.taken[0]


async def test_a_policy_that_cannot_meet_its_own_days_is_refused(world: World) -> None:
    impossible = STANDARD.replace("day: 14", "day: 15")
    body = {"document": impossible, "effective_date": "2026-04-01", "reason": "x"}
    answer = await world.client.post("/v1/policies", body)
    assert (answer.status_code, answer.json()["code"]) == (422, "policy_refused")
    assert any("days_before" in error["field"] for error in answer.json()["errors"])


async def test_no_recorded_invoice_changes_its_version(world: World) -> None:
    """It is 2 March 10:30 in UTC, so 3 March at UTC+14: a version of 3 March would reach invoices of today there."""
    await world.database.move(hours=1.5)
    body = {"document": STANDARD, "reason": "x"}
    for day in ("2026-03-02", "2026-03-03"):
        late = await world.client.post("/v1/policies", body | {"effective_date": day})
        assert (late.status_code, late.json()["code"]) == (422, "effective_date_refused")
    await publish(world.client, STANDARD, "2026-03-10")
    before = await world.client.post("/v1/policies", body | {"effective_date": "2026-03-09"})
    assert before.json()["code"] == "effective_date_refused"


async def test_the_policy_is_a_page_without_a_token(world: World) -> None:
    page = await world.client.http.get("/policy")
    assert page.status_code == 200
    assert "21 days after the due date" in " ".join(page.text.split())
    assert "Access to the subscriptions concerned is suspended" in page.text
