"""Changes of access as they happened at the vendor, in the billing of a subscription."""

from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from services.invoicing.accounts.repository import account_queries
from services.invoicing.subscriptions.domain.subscription_history import ChangeKind, SubscriptionChange
from services.invoicing.subscriptions.repository import term_queries
from services.invoicing.subscriptions.use_cases import subscription_changes
from services.invoicing.subscriptions.use_cases.subscription_changes import AppliedSubscriptionChange
from services.invoicing.subscriptions.use_cases.subscription_orders import _version_of, build_subscription_change
from shared.persistence.database import Unit
from shared.pure.calendar import get_local_date


async def charge_access_change(unit: Unit, subscription_id: UUID, kind: ChangeKind, at: datetime) -> None:
    """Access was suspended or is back at the vendor: the days between are credited or billed as the plan says.

    A subscription that is of no plan, or is cancelled, has nothing to be settled; a repeat changes nothing.
    """
    term = next(iter(await term_queries.list_term_rows(unit, [subscription_id])), None)
    if term is None or term.ended_on is not None:
        return
    account = await account_queries.get_account(unit, term.account_id)
    course = (await term_queries.map_subscription_histories(unit, [subscription_id]))[subscription_id]
    day = max(get_local_date(at, ZoneInfo(account.time_zone)), course.activated_on)
    new = SubscriptionChange(day, kind)
    if course.add_subscription_change(new).get_subscription_state_on(date.max) == course.get_subscription_state_on(
        date.max
    ):
        return
    row = build_subscription_change(unit, term, new, "applied")
    unit.session.add(row)
    await unit.session.flush()
    today = get_local_date(unit.now, ZoneInfo(account.time_zone))
    version = await _version_of(unit, term)
    await subscription_changes.settle_subscription_change(
        unit, term, AppliedSubscriptionChange(course.add_subscription_change(new), version, new, row.id, today)
    )
