"""The work list of what the vendor bills otherwise than we expected, over REST."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Annotated, Self
from uuid import UUID

from fastapi import Query, Response
from pydantic import BaseModel, Field

from services.invoicing.vendor_costs.domain.line_verdicts import (
    Decision,
    DifferenceState,
    VendorDifferenceAlreadyDecided,
    Verdict,
    describe_difference_cause,
    format_vendor_quantity,
)
from services.invoicing.vendor_costs.repository import customer_sum_queries, difference_queries
from services.invoicing.vendor_costs.repository.customer_sum_queries import CustomerBilledSum
from services.invoicing.vendor_costs.repository.difference_queries import VendorDifferenceCriteria
from services.invoicing.vendor_costs.tables import VendorDifferenceRow
from services.invoicing.vendor_costs.use_cases import difference_decisions
from services.invoicing.vendor_costs.use_cases.difference_charges import (
    DifferenceAmountNeeded,
    NothingToBillCustomer,
    VendorDifferenceNotBillable,
)
from services.invoicing.vendor_costs.use_cases.difference_decisions import DifferenceAmountRefused, DifferenceDecision
from shared.persistence.database import Unit
from shared.pure.fields import Prose, RequestBody, get_model_example, set_model_example
from shared.pure.money import CurrencyMismatch, Money, MoneyModel
from shared.web.auth import needs
from shared.web.commands import CommandRunner, perform_command
from shared.web.http import PROBLEMS, Page, Paging, Read, Router, refusals

reads = Router(
    prefix="/v1/vendor-differences", tags=["vendor"], dependencies=[needs("invoicing:read")], responses=PROBLEMS
)
writes = Router(
    prefix="/v1/vendor-differences", tags=["vendor"], dependencies=[needs("invoicing:vendor")], responses=PROBLEMS
)


class BilledToCustomerOut(BaseModel):
    """Amount that the customer was billed in one currency without tax, and its days (`period_to`: the day after)."""

    model_config = set_model_example(currency="EUR", net_minor=12500, period_from="2026-03-01", period_to="2026-04-01")

    currency: str
    net_minor: int
    period_from: date
    period_to: date


class DifferenceOut(BaseModel):
    """Something that the vendor bills otherwise than we expected: one subscription, charge type and period.

    Amounts are without tax. A difference above zero: the vendor bills more. `period_to` is the day after the last one.
    """

    model_config = set_model_example(
        id="01a20d71-1c0e-7b3f-8a55-000000000001",
        vendor_invoice_id="01a20d70-1c0e-7b3f-8a55-2f64d1f0a9b7",
        account_id="01a20d60-7458-729b-b244-54f33ab0c1d2",
        subscription_id="01a20d60-9e21-7c44-9d0b-6f0a7c1e8d35",
        vendor_customer_id="tenant-4711",
        vendor_subscription_id="vendor-subscription-17",
        product="Business Premium",
        charge_type="new",
        period_from="2026-03-01",
        period_to="2026-03-31",
        first_line=2,
        lines=1,
        verdict="quantity_difference",
        cause="the vendor bills 12 units, and we expected 10",
        billed_quantity="12",
        expected_quantity="10",
        billed_minor=12096,
        expected_minor=10080,
        difference_minor=2016,
        currency="EUR",
        billed_to_customer=[get_model_example(BilledToCustomerOut)],
        state="open",
        decision=None,
        reason=None,
        decided_by=None,
        decided_at=None,
    )

    id: UUID
    vendor_invoice_id: UUID
    account_id: UUID | None
    subscription_id: UUID | None
    vendor_customer_id: str | None
    vendor_subscription_id: str | None
    product: str | None
    charge_type: str
    period_from: date | None
    period_to: date | None
    first_line: int | None
    lines: int
    verdict: str
    cause: str
    billed_quantity: str
    expected_quantity: str
    billed_minor: int
    expected_minor: int
    difference_minor: int
    currency: str
    billed_to_customer: list[BilledToCustomerOut] = Field(
        description="so far, on issued invoices, for stretches of the subscription that touch the period; reversals"
        " and differences included, set-up fees and usage not; in its own currency, never converted or added"
    )
    state: str
    decision: str | None
    reason: str | None
    decided_by: str | None
    decided_at: datetime | None

    @classmethod
    def from_vendor_difference_row(cls, row: VendorDifferenceRow, billed: Iterable[CustomerBilledSum]) -> Self:
        """The answer for a row, beside what the customer was billed."""
        money = (Money(row.billed_minor, row.currency), Money(row.expected_minor, row.currency))
        more = {
            "billed_to_customer": [customer_sum._asdict() for customer_sum in billed],
            "cause": describe_difference_cause(
                Verdict(row.verdict), *money, (row.billed_quantity, row.expected_quantity)
            ),
            "difference_minor": row.billed_minor - row.expected_minor,
            "billed_quantity": format_vendor_quantity(row.billed_quantity),
            "expected_quantity": format_vendor_quantity(row.expected_quantity),
        }
        return cls.model_validate(row.model_dump() | more)


async def _build_differences_out(unit: Unit, rows: Sequence[VendorDifferenceRow]) -> list[DifferenceOut]:
    billed = await customer_sum_queries.map_customer_difference_sums(unit, [row.id for row in rows])
    return [DifferenceOut.from_vendor_difference_row(row, billed.get(row.id, ())) for row in rows]


class DecisionIn(RequestBody):
    """A decision about a difference, and why."""

    model_config = set_model_example(
        decision="dispute_with_vendor", reason="two seats were removed on the 3rd, within 7 days"
    )

    decision: Decision
    reason: Prose
    amount: MoneyModel | None = Field(
        default=None,
        description="with bill_customer: what the customer is billed, without tax, in its currency; left out, what the"
        " vendor bills beyond what the customer was billed, if both are billed in one currency",
    )


@reads.get("", summary="List what the vendor bills otherwise than we expected")
async def list_vendor_differences(
    read: Read,
    paging: Paging,
    state: Annotated[DifferenceState | None, Query(description="open: nobody has decided yet")] = None,
    verdict: Annotated[Verdict | None, Query()] = None,
    vendor_invoice_id: Annotated[UUID | None, Query()] = None,
    account_id: Annotated[UUID | None, Query()] = None,
) -> Page[DifferenceOut]:
    """Differences by reconciliation, and in it in the order of the file; what the file has no line for comes last."""
    asked = VendorDifferenceCriteria(state and state.value, verdict and verdict.value, vendor_invoice_id, account_id)
    after = paging.get_last_id()

    async def load_vendor_differences(unit: Unit) -> list[DifferenceOut]:
        return await _build_differences_out(
            unit, await difference_queries.list_vendor_difference_rows(unit, asked, after, paging.limit + 1)
        )

    return paging.page(await read(load_vendor_differences), key=lambda row: row.id)


@reads.get("/{difference_id}", summary="One difference")
async def get_vendor_difference(difference_id: UUID, read: Read) -> DifferenceOut:
    """Get a difference, its cause, and what was decided about it."""

    async def load_vendor_difference(unit: Unit) -> DifferenceOut:
        return (
            await _build_differences_out(
                unit, [await difference_queries.get_vendor_difference_row(unit, difference_id)]
            )
        )[0]

    return await read(load_vendor_difference)


@writes.post(
    "/{difference_id}:decide",
    name="decide_vendor_difference",
    status_code=200,
    response_model=DifferenceOut,
    summary="Decide about a difference",
    responses=refusals(
        VendorDifferenceAlreadyDecided,
        VendorDifferenceNotBillable,
        NothingToBillCustomer,
        DifferenceAmountNeeded,
        DifferenceAmountRefused,
        CurrencyMismatch,
    ),
)
async def decide_difference(
    difference_id: UUID,
    decided: DecisionIn,
    command: Annotated[CommandRunner, perform_command("vendor_difference.decide")],
) -> Response:
    """Dispute it with the vendor, bill the customer, or accept it; once. Announces `VendorDifferenceDecided`.

    What is billed is a charge of the subscription, on the next bill run's invoice. What is accepted or billed leaves
    the payable.
    """

    async def decide_and_show_difference(unit: Unit) -> DifferenceOut:
        amount = decided.amount.money() if decided.amount else None
        taken = DifferenceDecision(decided.decision, command.caller.subject, decided.reason, amount)
        row = await difference_decisions.decide_vendor_difference(unit, difference_id, taken)
        return (await _build_differences_out(unit, [row]))[0]

    return await command.run(decide_and_show_difference, status=200, reason=decided.reason, subject=difference_id)
