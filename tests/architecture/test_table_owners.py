"""Each table of invoicing has one owner, who alone writes it; others read it where they may import its owner."""

import re
import tomllib
from pathlib import Path

import pytest

from tests.architecture.source import BACKBONE, ROOT
from tests.architecture.table_use import (
    list_foreign_writes,
    list_upward_reads,
    list_uses,
    read_owners,
)

INVOICING = ROOT / "services" / "invoicing"
SCHEMA = INVOICING / "schema.sql"
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
(LAYERS,) = (contract["layers"] for contract in CONTRACTS if contract["id"] == "capabilities")
ORDER = [layer for layer in LAYERS if (INVOICING / layer).is_dir()]

WRITES_OF_OTHERS = {
    "billing/repository/chunk_drafting_statements.py": {"charges", "terms"},
    "billing/repository/chunk_issuing_statements.py": {
        "balance_changes",
        "invoice_lines",
        "invoice_states",
        "invoices",
        "ledger_entries",
        "line_balances",
        "numbers",
    },
    "billing/repository/bill_run_queries.py": {"charges"},
    "billing/repository/lapse_queries.py": {"charges"},
    "billing/repository/proration_credit_queries.py": {"charges"},
    "revenue/repository/release_queries.py": {"charges", "ledger_entries"},
    "subscriptions/repository/term_queries.py": {"ledger_entries"},
    "usage/repository.py": {"charges"},
    "vendor_costs/repository/difference_charge_queries.py": {"charges"},
    "vendor_costs/repository/vendor_posting_queries.py": {"ledger_entries"},
}
"""Statements that write for several owners at once, for speed: whole cycles charged and the issue of a chunk; drafts
discarded with their charges; credits of a bill run; releases and accruals with their postings; rated usage;
charged differences; postings of vendor invoices. It may only become shorter."""
READS_ABOVE = {
    "adjustments/repository/line_worth_queries.py": {"credited_charges", "draft_lines", "drafts"},
    "payments/repository/debit_queries.py": {"bank_entries"},
    "payments/repository/refund_part_queries.py": {"approvals"},
    "receivables/repository/invoice_search.py": {"allocations"},
    "settings/repository/second_person_queries.py": {"numbers"},
}
"""Statements that read what an owner above them keeps. It may only become shorter."""


def test_every_table_has_one_owner() -> None:
    tables = set(re.findall(r"^CREATE TABLE invoicing\.(\w+)", SCHEMA.read_text(), re.MULTILINE))
    assert set(read_owners(INVOICING)) == tables - BACKBONE


def test_only_the_owner_writes_a_table() -> None:
    owners = read_owners(INVOICING)
    assert list_foreign_writes(list_uses(INVOICING, owners), owners) == WRITES_OF_OTHERS


def test_nobody_reads_what_is_kept_above() -> None:
    owners = read_owners(INVOICING)
    assert list_upward_reads(list_uses(INVOICING, owners), owners, ORDER) == READS_ABOVE


@pytest.fixture
def service(tmp_path: Path) -> Path:
    """A service of two capabilities, the higher one first."""
    for capability, table in (("billing", "bill_runs"), ("ledger", "ledger_entries")):
        (tmp_path / capability).mkdir()
        (tmp_path / capability / "README.md").write_text(f"# {capability}\n\n**Tables**: `{table}`.\n")
    return tmp_path


@pytest.mark.parametrize(
    ("module", "statement", "is_foreign", "is_upward"),
    [
        ("billing/repository.py", 'X = "UPDATE ledger_entries SET a = 1"', True, False),
        ("billing/repository.py", 'X = f"WITH a AS (DELETE FROM ledger_entries {Y}) SELECT"', True, False),
        ("billing/repository.py", 'X = "COPY invoicing.ledger_entries FROM STDIN"', True, False),
        ("billing/use_cases.py", 'X = "INSERT INTO bill_runs VALUES (1)"', True, False),
        ("billing/repository.py", 'X = "INSERT INTO bill_runs SELECT FROM ledger_entries"', False, False),
        ("ledger/repository.py", 'X = "SELECT FROM ledger_entries e JOIN bill_runs USING (id)"', False, True),
    ],
)
def test_a_foreign_write_and_an_upward_read_are_seen(
    service: Path, module: str, statement: str, is_foreign: bool, is_upward: bool
) -> None:
    (service / module).write_text(statement)
    owners = read_owners(service)
    uses = list_uses(service, owners)
    assert bool(list_foreign_writes(uses, owners)) is is_foreign
    assert bool(list_upward_reads(uses, owners, ["billing", "ledger"])) is is_upward


def test_a_table_of_two_owners_is_seen(service: Path) -> None:
    (service / "ledger" / "README.md").write_text("**Tables**: `bill_runs`.\n")
    with pytest.raises(ValueError, match="bill_runs is owned by billing and by ledger"):
        read_owners(service)
