"""Billing of customers for what the vendor bills beyond what they were billed."""

from services.invoicing.vendor_costs.repository import customer_sum_queries
from services.invoicing.vendor_costs.repository.difference_charge_queries import (
    find_subscription_term,
    insert_difference_charge,
    sum_unbilled_difference_charges,
)
from services.invoicing.vendor_costs.tables import VendorDifferenceRow
from shared.persistence.database import Unit
from shared.pure.errors import Refusal
from shared.pure.money import CurrencyMismatch, Money


class VendorDifferenceNotBillable(Refusal):
    """The difference is of no period of a subscription of a plan, so no customer can be billed for it."""

    code = "not_billable"


class NothingToBillCustomer(Refusal):
    """The customer was billed at least what the vendor bills."""

    code = "nothing_to_bill"


class DifferenceAmountNeeded(Refusal):
    """The vendor and the customer are billed in different currencies, so a person says the amount."""

    code = "amount_needed"
    status = 422


async def charge_vendor_difference(unit: Unit, row: VendorDifferenceRow, amount: Money | None) -> None:
    """Charge a customer for a difference; the account is locked.

    Without an amount: what the vendor bills for the comparison beyond what the customer was and will be billed for
    stretches that touch its period, without tax. Raises VendorDifferenceNotBillable, NothingToBillCustomer,
    DifferenceAmountNeeded, CurrencyMismatch.
    """
    term = await find_subscription_term(unit, row.subscription_id) if row.subscription_id and row.period_from else None
    if term is None:
        raise VendorDifferenceNotBillable("the difference is of no period of a subscription of a plan")
    if amount is None:
        amount = await _compute_excess(unit, row, term["currency"])
    if amount.currency != term["currency"]:
        raise CurrencyMismatch(f"the subscription is billed in {term['currency']}, not in {amount.currency}")
    await insert_difference_charge(unit, row, amount, term["today"])


async def _compute_excess(unit: Unit, row: VendorDifferenceRow, currency: str) -> Money:
    if row.currency != currency:
        raise DifferenceAmountNeeded(
            f"amount: the vendor bills {row.currency}, the subscription is billed in {currency}"
        )
    billed = (await customer_sum_queries.map_customer_difference_sums(unit, [row.id])).get(row.id, [])
    billed_minor = sum(entry.net_minor for entry in billed if entry.currency == currency)
    excess = row.billed_minor - billed_minor - await sum_unbilled_difference_charges(unit, row)
    if excess <= 0:
        raise NothingToBillCustomer(
            f"the vendor bills {Money(row.billed_minor, currency)}, and the customer was billed that"
        )
    return Money(excess, currency)
