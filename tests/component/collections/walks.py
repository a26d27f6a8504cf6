"""Random walks of an account through collections: invoices, payments, disputes, the vendor's news, persons, the clock.

A walk depends on its seed and on what collections answers, and asks for nothing that the product does not offer.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from shared.events.entitlements import EntitlementEnded, SubscriptionReinstated, SubscriptionSuspended
from shared.events.escalation import MailBounced
from shared.events.invoicing import InvoiceBalance, InvoiceBalanceChanged, InvoiceIssued, InvoiceOverdue
from shared.events.values import LineBalance
from tests.builders import build_registered, hear, sweep, work
from tests.component.collections.test_collections import DUE, World

REASON = {"reason": "agreed by phone"}
TOTAL = 1000
"""Amount of each line, in cents."""


class AccountWalk:
    """An account with two subscriptions and a few invoices, to which things happen."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.random = Random(seed)
        self.subscriptions = sorted(self._new_id() for _ in range(2))
        self.lines: dict[UUID, list[LineBalance]] = {}
        self.now = datetime(DUE.year, DUE.month, DUE.day, 6, tzinfo=UTC) - timedelta(days=4)
        world.account_id = self._new_id()

    def _new_id(self) -> UUID:
        return UUID(int=self.random.getrandbits(128), version=4)

    async def begin(self) -> None:
        """Register the account, with one invoice that falls due."""
        await self.world.database.move(self.now)
        self.world.sequence = 0
        await self.world.hear(build_registered(self.world.account_id, terms_days=8))
        await self.issue()
        if self.random.random() < 0.7:
            await self._climb_ladder()

    async def _climb_ladder(self) -> None:
        """Let the days up to the suspension pass, each step at its time."""
        for _ in range(26):
            await self.wait()
            self.now += timedelta(days=1)
            await self.world.database.move(self.now)
            await self.hear_overdue()

    async def step(self) -> str:
        """Let one thing happen, and time pass; its name."""
        deeds: list[Callable[[], Awaitable[object]]] = [
            *[self.wait] * 8,
            *[self.pay, self.reopen, self.dispute, self.hear_overdue, self.obey] * 2,
            *[self.issue, self.promise, self.release, self.confirm, self.bounce, self.retry, self.refuse_mails],
            *[self.reinstate, self.end_subscription, self.stop_all, self.write_off],
        ]
        deed = self.random.choice(deeds)
        await deed()
        self.now += timedelta(hours=self.random.choice([1, 6, 15, 24, 24, 24, 72]))
        await self.world.database.move(self.now)
        if self.random.random() < 0.8:
            await sweep(self.world.runtime)
            await work(self.world.runtime)
        return deed.__name__

    async def wait(self) -> None:
        """Let nothing happen but what falls due."""
        await sweep(self.world.runtime)
        await work(self.world.runtime)

    async def issue(self) -> None:
        """Hear of an invoice over one or both subscriptions."""
        invoice_id = self._new_id()
        chosen = self.random.choice([self.subscriptions, self.subscriptions[:1], self.subscriptions[1:]])
        lines = [_build_line(number, id_, TOTAL) for number, id_ in enumerate(chosen, 1)]
        balance = self._balance(invoice_id, lines)
        event = InvoiceIssued(
            account_id=self.world.account_id, issue_date=DUE, external_reference=None, balance=balance
        )
        await self.world.hear(event)
        await self.hear_overdue()

    async def hear_overdue(self) -> None:
        """Hear that an invoice is overdue, if it has become so."""
        invoice_id = self._pick_invoice()
        if self.now.date() > DUE and any(line.open_minor for line in self.lines[invoice_id]):
            balance = self._balance(invoice_id, self.lines[invoice_id])
            await self.world.hear(
                InvoiceOverdue(account_id=self.world.account_id, evaluated_at=self.world.database.now, balance=balance)
            )

    async def pay(self) -> None:
        """Pay a line of an invoice, or all of them."""
        await self._change(open_minor=0, disputed_minor=0)

    async def reopen(self) -> None:
        """Reverse the payment of a line, or of all."""
        await self._change(open_minor=TOTAL, written_off_minor=0)

    async def dispute(self) -> None:
        """Dispute open lines, or let the dispute of some end."""
        await self._change(disputed_minor=self.random.choice([0, TOTAL, TOTAL // 2]))

    async def write_off(self) -> None:
        """Write a line off."""
        await self._change(open_minor=0, disputed_minor=0, written_off_minor=TOTAL)

    async def promise(self) -> None:
        """Note a promise of a person to pay."""
        since = self.now + timedelta(hours=self.random.choice([-30, 0, 10]))
        await self.world.database.execute(
            "INSERT INTO collections.promises (id, account_id, invoice_id, amount_minor, active_from, active_until)"
            " VALUES ($1, $2, $3, $4, $5, $6)",
            self._new_id(),
            self.world.account_id,
            self._pick_invoice(),
            self.random.choice([TOTAL // 2, 2 * TOTAL]),
            since,
            since + timedelta(hours=self.random.choice([20, 80, 200])),
        )

    async def obey(self) -> None:
        """Let the vendor switch off what is requested."""
        for suspension in await self._list_suspensions("requested"):
            await self.world.hear(
                SubscriptionSuspended(
                    account_id=self.world.account_id,
                    subscription_id=suspension["subscription_id"],
                    suspension_id=suspension["id"],
                    hold_reasons=("non_payment",),
                    vendor_bills_on=True,
                )
            )

    async def reinstate(self) -> None:
        """Let the vendor give back what is ending."""
        for suspension in await self._list_suspensions("ending"):
            await self.world.hear(
                SubscriptionReinstated(
                    account_id=self.world.account_id,
                    subscription_id=suspension["subscription_id"],
                    suspension_id=suspension["id"],
                    renewal_restored=True,
                )
            )

    async def end_subscription(self) -> None:
        """Let one subscription be gone, seldom."""
        if self.random.random() < 0.3:
            subscription_id = self.random.choice(self.subscriptions)
            await self.world.hear(
                EntitlementEnded(
                    account_id=self.world.account_id,
                    subscription_id=subscription_id,
                    ended_on=self.now.date(),
                    term_end=self.now.date(),
                )
            )

    async def release(self) -> None:
        """Release a suspension until a day to come."""
        for suspension in (await self._list_suspensions("requested", "effective"))[:1]:
            until = self.now.date() + timedelta(days=self.random.choice([0, 2, 9]))
            body = REASON | {"until": until.isoformat()}
            await self.world.client.create(f"/v1/suspensions/{suspension['id']}:release", body)

    async def confirm(self) -> None:
        """Ask whether the suspensions that are requested still stand."""
        for suspension in await self._list_suspensions("requested"):
            await self.world.client.got(f"/v1/suspensions/{suspension['id']}/confirmation")

    async def stop_all(self) -> None:
        """Stop all suspensions, look at them, and let them go on."""
        await self.world.client.create("/v1/guard:stop", REASON)
        await self.wait()
        await self.confirm()
        await self.world.client.create("/v1/guard:resume", REASON)

    async def refuse_mails(self) -> None:
        """Let the next hop refuse what is sent meanwhile."""
        self.world.hop.answer = "550 no such mailbox"
        self.now += timedelta(days=1)
        await self.world.database.move(self.now)
        await self.wait()
        self.world.hop.answer = "250 taken"

    async def bounce(self) -> None:
        """Let the newest notice that was sent come back."""
        secret = await self.world.database.value(
            "SELECT bounce_id FROM collections.notices WHERE state = 'sent' AND account_id = $1"
            " ORDER BY created_at DESC, template LIMIT 1",
            self.world.account_id,
        )
        if secret is not None:
            await hear(self.world.runtime, MailBounced(message_id=secret, permanent=True, code="5.1.1"))

    async def retry(self) -> None:
        """Send what failed again."""
        failed = await self.world.database.rows(
            "SELECT id FROM collections.notices WHERE state = 'failed' AND account_id = $1"
            " ORDER BY created_at, template",
            self.world.account_id,
        )
        for row in failed:
            await self.world.client.create(f"/v1/notices/{row['id']}:retry", REASON)

    def _pick_invoice(self) -> UUID:
        return self.random.choice(sorted(self.lines))

    async def _change(self, **amounts: int) -> None:
        invoice_id = self._pick_invoice()
        several = self.random.random() < 0.5
        chosen = self.random.choice(self.lines[invoice_id])
        lines = [
            line.model_copy(update=_bound_amounts(line, amounts)) if several or line is chosen else line
            for line in self.lines[invoice_id]
        ]
        balance = self._balance(invoice_id, lines)
        await self.world.hear(InvoiceBalanceChanged(account_id=self.world.account_id, balance=balance))

    async def _list_suspensions(self, *states: str) -> list[dict[str, Any]]:
        suspensions = (await self.world.standing())["suspensions"]
        ordered = sorted(suspensions, key=lambda suspension: str(suspension["subscription_id"]))
        return [suspension for suspension in ordered if suspension["state"] in states]

    def _balance(self, invoice_id: UUID, lines: list[LineBalance]) -> InvoiceBalance:
        """The balance of an invoice with these lines, which a fresh read says from now on too."""
        self.lines[invoice_id] = lines
        names = ("open_minor", "disputed_minor", "in_flight_minor", "written_off_minor")
        sums: dict[str, int] = {name: sum(getattr(line, name) for line in lines) for name in names}
        balance = InvoiceBalance(
            invoice_id=invoice_id,
            number=f"GS-{sorted(self.lines).index(invoice_id)}-{str(invoice_id)[-4:]}",
            currency="EUR",
            due_date=DUE,
            total_minor=TOTAL * len(lines),
            credited_minor=0,
            lines=tuple(lines),
            **sums,
        )
        self.world.invoicing.balances[invoice_id] = balance.model_dump(mode="json") | {
            "account_id": str(self.world.account_id),
            "sequence": self.world.sequence + 1,
            "changed_at": self.world.database.now.isoformat(),
        }
        return balance


def _build_line(number: int, subscription_id: UUID, open_minor: int) -> LineBalance:
    amounts = {"disputed_minor": 0, "in_flight_minor": 0, "written_off_minor": 0}
    return LineBalance(line=number, subscription_id=subscription_id, open_minor=open_minor, **amounts)


def _bound_amounts(line: LineBalance, amounts: dict[str, int]) -> dict[str, int]:
    """The amounts that a line gets; nothing is disputed beyond what is open."""
    open_minor = amounts.get("open_minor", line.open_minor)
    return amounts | {"disputed_minor": min(amounts.get("disputed_minor", line.disputed_minor), open_minor)}
