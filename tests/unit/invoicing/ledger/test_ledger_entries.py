"""The entries of each fact, by examples worked out by hand: debit is positive, minor units."""

from collections.abc import Callable

import pytest

from services.invoicing.ledger import domain as ledger_domain
from services.invoicing.ledger.domain import BilledLine, CreditNoteLineShare, Entries, LedgerAccountCode

FACTS: list[tuple[Callable[[], Entries], dict[str, int]]] = [
    # 100 net with 19 tax for the coming month, 50 net with 10 tax for the last one, 20 net given back with 4 tax
    (
        lambda: ledger_domain.build_billed_invoice_entries(
            [BilledLine(100, 19, True), BilledLine(50, 10, False), BilledLine(-20, -4, True)]
        ),
        {"receivables": 155, "tax": -25, "deferred_revenue": -80, "revenue": -50},
    ),
    (
        lambda: ledger_domain.build_billed_invoice_entries([]),
        {"receivables": 0, "tax": 0, "deferred_revenue": 0, "revenue": 0},
    ),
    (lambda: ledger_domain.build_manual_invoice_entries(119, 19), {"receivables": 119, "tax": -19, "revenue": -100}),
    # of 100 there pay 60 what is owed and 30 what had been written off
    (
        lambda: ledger_domain.build_payment_entries(100, 60, 30),
        {"cash": 100, "receivables": -60, "recoveries": -30, "unapplied": -10},
    ),
    (
        lambda: ledger_domain.build_payment_entries(100, 60),
        {"cash": 100, "receivables": -60, "recoveries": 0, "unapplied": -40},
    ),
    (lambda: ledger_domain.build_allocation_entries(60, 30), {"unapplied": 90, "receivables": -60, "recoveries": -30}),
    (lambda: ledger_domain.build_allocation_entries(60), {"unapplied": 60, "receivables": -60, "recoveries": 0}),
    (
        lambda: ledger_domain.build_payment_reversal_entries(100, 60, 30),
        {"cash": -100, "receivables": 60, "recoveries": 30, "unapplied": 10},
    ),
    (
        lambda: ledger_domain.build_payment_reversal_entries(100, 60),
        {"cash": -100, "receivables": 60, "recoveries": 0, "unapplied": 40},
    ),
    # half of a line of 119 with 19 tax (59 have 9), and a whole one of 100 without; 70 are not earned, 20 were paid
    (
        lambda: ledger_domain.build_credit_note_entries(
            [CreditNoteLineShare(59, 0, 119, 19), CreditNoteLineShare(100, 0, 100, 0)], 70, 20
        ),
        {"credits": 80, "deferred_revenue": 70, "tax": 9, "receivables": -139, "unapplied": -20},
    ),
    (
        lambda: ledger_domain.build_credit_note_entries([CreditNoteLineShare(60, 59, 119, 19)]),
        {"credits": 50, "deferred_revenue": 0, "tax": 10, "receivables": -60, "unapplied": 0},
    ),
    (lambda: ledger_domain.build_write_off_entries(7), {"bad_debt": 7, "receivables": -7}),
    (lambda: ledger_domain.build_small_balance_entries(7), {"small_balances": 7, "receivables": -7}),
    (lambda: ledger_domain.build_reserved_refund_entries(7), {"unapplied": 7, "refunds": -7}),
    (lambda: ledger_domain.build_paid_refund_entries(7), {"refunds": 7, "cash": -7}),
    (lambda: ledger_domain.build_direct_refund_entries(7), {"unapplied": 7, "cash": -7}),
    (lambda: ledger_domain.build_declined_refund_entries(7), {"unapplied": -7, "refunds": 7}),
    (lambda: ledger_domain.build_vendor_tax_entries(7), {"input_tax": 7, "vendor_payable": -7}),
    (lambda: ledger_domain.build_vendor_payment_entries(7), {"vendor_payable": 7, "cash": -7}),
    (lambda: ledger_domain.build_accepted_difference_entries(7), {"vendor_differences": 7, "vendor_payable": -7}),
    (lambda: ledger_domain.build_billed_difference_entries(7), {"vendor_cost": 7, "vendor_payable": -7}),
]


@pytest.mark.parametrize(("build", "expected"), FACTS)
def test_the_entries_of_a_fact(build: Callable[[], Entries], expected: dict[str, int]) -> None:
    entries = build()
    assert entries == {LedgerAccountCode(code): minor for code, minor in expected.items()}
    assert sum(entries.values()) == 0


def test_a_line_without_an_amount_has_no_tax() -> None:
    assert CreditNoteLineShare(1, 0, 0, 5).tax_minor == 0
    assert CreditNoteLineShare(1, 0, 1, 1).tax_minor == 1
