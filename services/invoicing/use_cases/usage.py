"""Rated usage comes in, and is billed with the next invoice, however late it is."""

from collections.abc import Sequence

from services.invoicing.domain.usage import UsageRefused, amount_minor
from services.invoicing.repository import usage as repository
from services.invoicing.repository.usage import UsageLine
from shared.database import Unit


async def take(unit: Unit, source: str, currency: str, lines: Sequence[UsageLine]) -> int:
    """Take the lines of a source that are not known yet, all or none; how many are new. Raises UsageRefused."""
    terms = await repository.terms(unit, {line.subscription_id for line in lines})
    await unit.lock(*{term["account_id"] for term in terms.values()})
    taken, seen = [], set()
    for line in lines:
        term = terms.get(line.subscription_id)
        if term is None:
            raise UsageRefused(f"line {line.id}: there is no subscription {line.subscription_id} of a plan")
        if term["currency"] != currency:
            raise UsageRefused(f"line {line.id}: its account is billed in {term['currency']}, not in {currency}")
        if line.id in seen:
            raise UsageRefused(f"line {line.id}: the request has it twice")
        seen.add(line.id)
        amount = amount_minor(line.quantity, line.unit_cost, term["usage_markup_bp"], currency)
        taken.append((line, term, amount))
    return await repository.add(unit, source, taken)
