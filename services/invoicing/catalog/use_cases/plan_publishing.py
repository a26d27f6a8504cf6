"""Plans are made, and get new versions."""

from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from services.invoicing.accounts.use_cases.account_registration import ExternalReferenceTaken
from services.invoicing.catalog.domain import plan_versions
from services.invoicing.catalog.domain.plan_versions import PlanVersion
from services.invoicing.catalog.repository import plan_queries, tax_rate_queries
from services.invoicing.catalog.tables.plan_tables import PlanRow
from shared.events.invoicing import PlanVersionPublished, PriceIn
from shared.persistence.audit import AuditedChange
from shared.persistence.database import Unit
from shared.pure.ids import new_id


@dataclass(frozen=True, slots=True)
class NewPlan:
    """Name of a plan, its tax class, and its first version (whose id and number are given to it)."""

    code: str
    name: str
    tax_class: str
    version: PlanVersion


async def create_plan_with_version(unit: Unit, new: NewPlan) -> tuple[PlanRow, PlanVersion]:
    """Make a plan with its first version. Raises ExternalReferenceTaken, PlanVersionRefused, UnknownTaxClass."""
    plan_versions.check_plan_version(new.version, ())
    await tax_rate_queries.check_tax_classes(unit, [new.tax_class])
    row = PlanRow(id=new_id(), code=new.code, name=new.name, tax_class=new.tax_class, created_at=unit.now)
    unit.session.add(row)
    try:
        await unit.session.flush()
    except IntegrityError as error:
        raise ExternalReferenceTaken(f"another plan has the code {new.code}") from error
    await unit.lock_subjects(row.id)
    version = replace(new.version, plan_id=row.id, number=1)
    unit.record(AuditedChange("plan", row.id))
    return row, await _publish(unit, row, version)


async def publish_plan_version(unit: Unit, plan_id: UUID, version: PlanVersion) -> tuple[PlanRow, PlanVersion]:
    """Publish the next version: new terms have it from its day on. Raises NotFound, PlanVersionRefused."""
    row = await plan_queries.get_plan_row(unit, plan_id)
    await unit.lock_subjects(plan_id)
    former = (await plan_queries.map_plan_versions(unit, [plan_id]))[plan_id]
    plan_versions.check_plan_version(version, former)
    unit.record(AuditedChange("plan_version", f"{plan_id}/{len(former) + 1}"))
    return row, await _publish(unit, row, replace(version, plan_id=plan_id, number=len(former) + 1))


async def _publish(unit: Unit, row: PlanRow, version: PlanVersion) -> PlanVersion:
    await plan_queries.insert_plan_version(unit, version)
    unit.publish(
        PlanVersionPublished(
            plan_id=row.id,
            code=row.code,
            plan_version=version.number,
            effective_from=version.effective_from,
            term_months=version.term,
            period_months=version.period,
            prices=tuple(
                PriceIn(currency=currency, unit_price_minor=price.unit, setup_minor=price.setup)
                for currency, price in sorted(version.prices.items())
            ),
        )
    )
    return version
