"""Supplies are worth in sets what the domain says of each, and their reversals lapse as it says."""

from collections import defaultdict
from uuid import UUID

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from services.invoicing.adjustments.domain.line_worth import (
    BilledSupplyCharge,
    compute_forgiven_minor,
    compute_supply_worth,
)
from services.invoicing.adjustments.repository.line_worth_queries import COMPUTE_SUPPLY_WORTH
from services.invoicing.billing.domain.proration_credits import InvoicedSupplyLine, compute_supply_excess
from services.invoicing.billing.domain.reversal_lapses import (
    ReducedInvoiceLine,
    SupplyCharge,
    compute_reversal_lapses,
)
from services.invoicing.billing.repository.lapse_queries import LAPSE_DUE_REVERSALS
from services.invoicing.billing.repository.proration_credit_queries import LIST_CREDITABLE_LINES
from tests.builders import Database
from tests.component.invoicing.billing.supply_cases import (
    ACCOUNT,
    CYCLES,
    DRAFTS,
    INVOICES,
    Case,
    Reduction,
    draw_case,
    draw_forgiven_case,
    get_charged_at,
    stage_cases,
)

EACH = settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
CASES = st.one_of(
    st.lists(draw_case(), min_size=1, max_size=14), st.lists(draw_forgiven_case(), min_size=2, max_size=6)
)
UNTOUCHED = Reduction(0, 0, 0)


def charge_case(net: int, second: int = 0, document_id: UUID | None = None, reduction: Reduction = UNTOUCHED) -> Case:
    """Build a charge or, below 0, a reversal of the first supply, with a fifth of tax."""
    kind = "cycle" if net > 0 else "reversal"
    return Case(UUID(int=41), kind, CYCLES[0], second, net, 0, 0, document_id, net // 5, reduction, False)


GIVEN_BACK_TWICE = [
    charge_case(1000, document_id=INVOICES[0], reduction=Reduction(700, 200, 100)),
    charge_case(-300, second=1),
    charge_case(-300, second=1),
    charge_case(-200, second=2),
]
"""Two thirds are forgiven, and more than the rest is reversed, twice in the same instant."""


def group_supplies(cases: list[Case]) -> dict[object, list[tuple[UUID, Case]]]:
    """Group charges, with their ids, by what was sold."""
    supplies: dict[object, list[tuple[UUID, Case]]] = defaultdict(list)
    for number, case in enumerate(cases, 1):
        supplies[case.supply].append((UUID(int=number), case))
    return supplies


def compute_case_forgiven(case: Case) -> int:
    """Compute what people took off the line of a charge."""
    return compute_forgiven_minor(case.reduction.credited, case.reduction.written_off, case.reduction.by_runs)


def build_supply_charge(charge_id: UUID, case: Case) -> SupplyCharge:
    """Build a charge as the lapse of reversals sees it."""
    return SupplyCharge(
        charge_id,
        get_charged_at(case),
        case.net,
        case.settled,
        case.lapsed,
        is_pending=case.document_id is None and case.cycle == CYCLES[0],
        reduced_line=ReducedInvoiceLine(case.line_minor, case.tax, compute_case_forgiven(case))
        if case.is_reduced
        else None,
    )


def build_billed_charge(case: Case) -> BilledSupplyCharge:
    """Build a charge as the worth of a supply sees it."""
    on_invoice = case.document_id in INVOICES
    return BilledSupplyCharge(
        invoiced_minor=case.line_minor if on_invoice else 0,
        drafted_minor=case.line_minor if case.document_id and DRAFTS.get(case.document_id, 0) > 0 else 0,
        settled_by_credits_minor=case.settled + case.credit_tax_minor if case.is_settled_by_credits else 0,
        forgiven_minor=compute_case_forgiven(case) if on_invoice else 0,
    )


@EACH
@example(cases=GIVEN_BACK_TWICE)
@given(cases=CASES)
async def test_reversals_lapse_as_the_domain_says(database: Database, cases: list[Case]) -> None:
    async with database.connected("invoicing") as connection, connection.transaction():
        await stage_cases(connection, cases)
        rows = await connection.fetch(LAPSE_DUE_REVERSALS, [ACCOUNT], CYCLES[0][0])
        lapsed = await connection.fetch("SELECT lapsed_minor FROM charges ORDER BY id")
    expected: dict[UUID, int] = {}
    for charges in group_supplies(cases).values():
        expected |= compute_reversal_lapses([build_supply_charge(*charge) for charge in charges])
    assert {row["charge_id"]: row["amount"] for row in rows} == expected
    assert [row["lapsed_minor"] for row in lapsed] == [
        case.lapsed - expected.get(UUID(int=number), 0) for number, case in enumerate(cases, 1)
    ]


@EACH
@example(cases=[*GIVEN_BACK_TWICE, charge_case(50, document_id=next(iter(DRAFTS)))])
@given(cases=CASES)
async def test_a_supply_is_worth_what_the_domain_says(database: Database, cases: list[Case]) -> None:
    async with database.connected("invoicing") as connection, connection.transaction():
        await stage_cases(connection, cases)
        rows = await connection.fetch(COMPUTE_SUPPLY_WORTH, INVOICES[0])
    supplies = group_supplies(cases)
    worth_by_supply = {
        supply: compute_supply_worth(build_billed_charge(case) for _, case in charges)
        for supply, charges in supplies.items()
    }
    expected = {
        number: worth_by_supply[case.supply] for number, case in enumerate(cases, 1) if case.document_id == INVOICES[0]
    }
    assert {row["line"]: row["worth"] for row in rows} == expected
    places = {row["line"]: row["supply"] for row in rows}
    assert len({(places[number], cases[number - 1].supply) for number in expected}) == len(set(places.values()))


def compute_case_excess(charges: list[tuple[UUID, Case]]) -> int:
    """Compute what is collected for a supply beyond what it comes to."""
    billed = [case for _, case in charges if case.document_id in INVOICES]
    settled = [case for _, case in charges if case.settled and case.is_settled_by_credits]
    return compute_supply_excess(
        (InvoicedSupplyLine(case.line_minor, case.collectable_minor, case.reduction.by_runs) for case in billed),
        (case.settled + case.credit_tax_minor for case in settled),
    )


@EACH
@example(cases=[*GIVEN_BACK_TWICE, charge_case(500, document_id=INVOICES[1])])
@given(cases=CASES)
async def test_a_supply_has_the_excess_that_the_domain_says(database: Database, cases: list[Case]) -> None:
    async with database.connected("invoicing") as connection, connection.transaction():
        await stage_cases(connection, cases)
        rows = await connection.fetch(LIST_CREDITABLE_LINES, [ACCOUNT], [UUID(int=41)], [CYCLES[0][0]])
    expected = {}
    for charges in group_supplies(cases).values():
        excess = compute_case_excess(charges)
        for charge_id, case in charges:
            creditable = case.collectable_minor - case.reduction.credited - case.reduction.written_off
            is_asked = (case.subscription_id, case.cycle) == (UUID(int=41), CYCLES[0])
            if case.document_id in INVOICES and creditable > 0 and (excess > 0 or is_asked):
                expected[charge_id.int] = (excess, creditable)
    assert {row["line"]: (row["excess"], row["creditable_minor"]) for row in rows} == expected
