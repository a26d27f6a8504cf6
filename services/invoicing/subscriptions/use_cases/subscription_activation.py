"""Activation of subscriptions."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.invoicing.accounts.repository import account_queries
from services.invoicing.accounts.use_cases.account_registration import ExternalReferenceTaken
from services.invoicing.subscriptions.repository import subscription_queries
from services.invoicing.subscriptions.tables.subscription_tables import SubscriptionRow
from shared.events.invoicing import SubscriptionActivated
from shared.persistence.database import Unit
from shared.pure.errors import Refusal
from shared.pure.ids import new_id


class VendorCustomerOfAnother(Refusal):
    """A subscription is at a vendor customer (tenant) of its own account: its holds would else end another's access."""

    code = "tenant_of_another"
    status = 422


@dataclass(frozen=True, slots=True)
class NewSubscription:
    """Subscription that was bought."""

    account_id: UUID
    product: str
    quantity: int
    unit_price_minor: int
    start: date
    end_of_term: date | None
    vendor_customer_id: str
    vendor_subscription_id: str
    bills_while_suspended: bool


async def activate_subscription(unit: Unit, new: NewSubscription) -> SubscriptionRow:
    """A subscription was bought. Raises NotFound, ExternalReferenceTaken, VendorCustomerOfAnother."""
    account = await account_queries.get_account(unit, new.account_id)
    await unit.lock_subjects(new.account_id)
    if new.vendor_customer_id.lower() not in map(str.lower, account.vendor_customer_ids):
        raise VendorCustomerOfAnother(f"the account has no vendor customer {new.vendor_customer_id}")
    if await subscription_queries.is_vendor_subscription_taken(unit, new.vendor_subscription_id):
        raise ExternalReferenceTaken(f"another subscription has the vendor's id {new.vendor_subscription_id}")
    fields = {name: getattr(new, name) for name in NewSubscription.__dataclass_fields__}
    row = SubscriptionRow(id=new_id(), activated_at=unit.now, **fields)
    if not await account_queries.insert_account_if_new(unit, row):
        raise ExternalReferenceTaken(f"another subscription has the vendor's id {new.vendor_subscription_id}")
    del fields["unit_price_minor"]
    unit.publish(SubscriptionActivated(subscription_id=row.id, **fields))
    return row
