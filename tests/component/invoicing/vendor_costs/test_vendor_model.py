"""The comparison by SQL against one by hand, on small files of every kind, two invoices one after the other."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deploy.local.tokens import SigningKeyPair
from tests.builders import Client, Database, insert_legal_entities, running
from tests.component.vendor_model import Entry, Ledger
from tests.vendor_files import BilledLine, Charge, World, billed_total, expect, world

KINDS = st.sampled_from(["new", "new", "addQuantity", "cancelImmediate"])
QUANTITIES = st.sampled_from([-10, -2, 1, 2, 10])
PERIODS = st.sampled_from([(date(2026, 3, 1), date(2026, 3, 30)), (date(2026, 3, 5), date(2026, 3, 30))])
AMOUNTS = st.sampled_from([-10080, 1, 1008, 10078, 10080, 10090, 10091, 20160])
ENDS = date(2026, 3, 31)
SUMS = """
SELECT verdict, lines, billed_minor, expected_minor FROM invoicing.vendor_differences
WHERE reconciliation_id = $1::text::uuid
"""

_numbers = count(1)


@st.composite
def charges(draw: st.DrawFn) -> tuple[int, dict[str, Any]]:
    """Draw which of our subscriptions is charged, and what the charge is."""
    starts, _ = draw(PERIODS)
    return draw(st.sampled_from([0, 1])), {
        "kind": draw(KINDS),
        "quantity": draw(QUANTITIES),
        "amount": draw(AMOUNTS),
        "starts": starts,
        "to": ENDS,
        "currency": draw(st.sampled_from(["EUR"] * 6 + ["USD"])),
        "charged_on": draw(st.sampled_from([date(2026, 3, 1), date(2026, 3, 31), date(2026, 2, 28), date(2026, 4, 1)])),
    }


@st.composite
def billed_lines(draw: st.DrawFn) -> BilledLine:
    """Draw a line for one of our subscriptions, or for one that we do not know."""
    starts, ends = draw(PERIODS)
    return BilledLine(
        subscription=draw(st.sampled_from(["0", "0", "0", "1", "9"])),
        customer=draw(st.sampled_from(["tenant-17"] * 6 + ["tenant-18"])),
        charge_type=draw(st.sampled_from(["new", "new", "addQuantity", "cancelImmediate", "customerCredit"])),
        quantity=draw(QUANTITIES),
        subtotal=draw(AMOUNTS),
        starts=starts,
        ends=ends,
    )


@pytest.fixture
async def client(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[Client]:
    async with running("invoicing", database, keys, jwks_file) as (_, made):
        yield made


async def compare_with_service(here: World, entity: str, lines: list[BilledLine]) -> list[Entry]:
    """Return what the service makes of an invoice: its differences, and the sums of what is clean."""
    # A file may add up to less than nothing, and no invoice does: a line that is compared with nothing makes up for it.
    rest = BilledLine("make-up", charge_type="adjustment", subtotal=max(0, -billed_total(lines)))
    reconciliation = await here.reconcile_lines([*lines, rest], legal_entity=entity)
    rows = await here.database.rows(SUMS, reconciliation["id"])
    entries = [(row[0], row[1], row[2], row[3]) for row in rows]
    entries.remove(("not_comparable", 1, rest.subtotal, 0))
    sums = {verdict_sum["verdict"]: verdict_sum for verdict_sum in reconciliation["verdicts"]}
    for verdict in sums.keys() - {"matched", "within_tolerance"}:
        made_up = verdict == "not_comparable"
        assert sums[verdict]["comparisons"] - made_up == len([entry for entry in entries if entry[0] == verdict])
    clean = [
        (name, sums[name]["lines"], sums[name]["billed_minor"], sums[name]["expected_minor"])
        for name in ("matched", "within_tolerance")
        if name in sums
    ]
    return sorted(entries + clean)


def sum_clean_entries(entries: list[Entry]) -> list[Entry]:
    """Replace the entries of what is matched, and of what is within tolerance, by one each."""
    rest = [entry for entry in entries if entry[0] not in ("matched", "within_tolerance")]
    for name in ("matched", "within_tolerance"):
        some = [entry for entry in entries if entry[0] == name]
        if some:
            rest.append(
                (
                    name,
                    sum(entry[1] for entry in some),
                    sum(entry[2] for entry in some),
                    sum(entry[3] for entry in some),
                )
            )
    return sorted(rest)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    expected=st.lists(charges(), max_size=6),
    first=st.lists(billed_lines(), max_size=6),
    second=st.lists(billed_lines(), max_size=4),
    as_expected=st.booleans(),
)
async def test_sql_finds_what_is_found_by_hand(
    client: Client,
    database: Database,
    expected: list[tuple[int, dict[str, Any]]],
    first: list[BilledLine],
    second: list[BilledLine],
    as_expected: bool,
) -> None:
    number = next(_numbers)
    entity = f"GS-{number}"
    await insert_legal_entities(database.server.url(database=database.name), [entity])
    names = [f"v{number}-{n}" for n in range(2)]
    ours = [await world(client, database, name, legal_entity=entity) for name in names]
    due = [ours[place].charge(**what) for place, what in expected]
    await expect(database, due)
    if as_expected:
        first = first + [_line_of(place, charge) for (place, _), charge in zip(expected, due, strict=True)]
    ids = {vendor_world.subscription_id: name for vendor_world, name in zip(ours, names, strict=True)}
    ledger = Ledger(dict.fromkeys(names, "tenant-17"), ids, due)
    for lines in (first, second):
        named = [replace(line, subscription=f"v{number}-{line.subscription}") for line in lines]
        assert await compare_with_service(ours[0], entity, named) == sum_clean_entries(ledger.compare(named))


def _line_of(place: int, charge: Charge) -> BilledLine:
    return BilledLine(
        subscription=str(place),
        charge_type=charge.kind,
        quantity=charge.quantity,
        subtotal=charge.amount,
        starts=charge.starts,
        ends=date(2026, 3, 30),
    )
