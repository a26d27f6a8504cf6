"""Accounts are registered and changed; subscriptions are activated."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from services.invoicing.repository import accounts as repository
from services.invoicing.repository import legal_entities, parties
from services.invoicing.tables import AccountRow, SubscriptionRow
from shared.events.invoicing import AccountChanged, AccountRegistered, SubscriptionActivated
from shared.persistence.audit import Change
from shared.persistence.database import Unit
from shared.pure.errors import Refusal
from shared.pure.ids import new_id
from shared.web.versions import check_version


class ReferenceTaken(Refusal):
    """Another thing has this external reference or vendor id."""

    code = "reference_taken"


class TenantOfAnother(Refusal):
    """A subscription is at a vendor customer (tenant) of its own account: its holds would else end another's access."""

    code = "tenant_of_another"
    status = 422


@dataclass(frozen=True, slots=True)
class NewSubscription:
    """What was bought."""

    account_id: UUID
    product: str
    quantity: int
    unit_price_minor: int
    start: date
    end_of_term: date | None
    vendor_customer_id: str
    vendor_subscription_id: str
    bills_while_suspended: bool


async def register(unit: Unit, fields: dict[str, Any]) -> AccountRow:
    """Register a billing customer. Raises UnknownLegalEntity, ReferenceTaken."""
    await legal_entities.check_legal_entity(unit, fields["legal_entity"])
    reference = fields["external_reference"]
    if reference and await repository.account_by_reference(unit, reference):
        raise ReferenceTaken(f"another account has the external reference {reference}")
    row = AccountRow(id=new_id(), version=1, registered_at=unit.now, **fields)
    if not await repository.add(unit, row):
        raise ReferenceTaken(f"another account has the external reference {reference}")
    await unit.lock(row.id)
    unit.publish(AccountRegistered(**_announced(row)))
    unit.record(Change("account", row.id, row.id))
    return row


async def change(unit: Unit, account_id: UUID, version: int, fields: Mapping[str, Any]) -> AccountRow:
    """Change these fields of an account's master data. If none differs, nothing happens. Raises NotFound, Stale."""
    await unit.lock(account_id)
    row = await repository.account_to_change(unit, account_id)
    check_version(row.version, version)
    before = row.model_dump() | {"address": row.address or []}
    if all(before[name] == value for name, value in fields.items()):
        unit.record_nothing()
        return row
    await parties.keep_buyer(unit, row)
    row.sqlmodel_update({**fields, "version": row.version + 1})
    unit.session.add(row)
    await unit.session.flush()
    unit.publish(AccountChanged(**_announced(row)))
    unit.record(Change("account", row.id, row.id, before, row.model_dump()))
    return row


def _announced(row: AccountRow) -> dict[str, Any]:
    """What of an account goes onto the topic: no name and no address."""
    return {
        "account_id": row.id,
        "legal_entity": row.legal_entity,
        "currency": row.currency,
        "time_zone": row.time_zone,
        "terms_days": row.terms_days,
        "external_reference": row.external_reference,
        "vendor_customer_ids": tuple(row.vendor_customer_ids),
        "language": row.language,
        "country": row.country,
        "tax_status": row.tax_status,
        "support_level": row.support_level,
    }


async def activate_subscription(unit: Unit, new: NewSubscription) -> SubscriptionRow:
    """A subscription was bought. Raises NotFound, ReferenceTaken, TenantOfAnother."""
    account = await repository.account(unit, new.account_id)
    await unit.lock(new.account_id)
    if new.vendor_customer_id.lower() not in map(str.lower, account.vendor_customer_ids):
        raise TenantOfAnother(f"the account has no vendor customer {new.vendor_customer_id}")
    if await repository.vendor_id_taken(unit, new.vendor_subscription_id):
        raise ReferenceTaken(f"another subscription has the vendor's id {new.vendor_subscription_id}")
    fields = {name: getattr(new, name) for name in NewSubscription.__dataclass_fields__}
    row = SubscriptionRow(id=new_id(), activated_at=unit.now, **fields)
    if not await repository.add(unit, row):
        raise ReferenceTaken(f"another subscription has the vendor's id {new.vendor_subscription_id}")
    del fields["unit_price_minor"]
    unit.publish(SubscriptionActivated(subscription_id=row.id, **fields))
    return row
