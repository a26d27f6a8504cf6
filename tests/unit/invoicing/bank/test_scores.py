"""Points and reasons of candidates, worked out by hand; debits that an entry names; invoices named together."""

from dataclasses import replace
from uuid import UUID

import pytest

from services.invoicing.bank.domain.carried_debit import DebitNamedByBankEntry
from services.invoicing.bank.domain.entry_matching import (
    BankEntryState,
    BankMatch,
    BankMatchCandidate,
    ReceivedBankEntry,
    ScoredBankMatch,
    choose_entry_state,
    is_matched_amount_owed,
    list_entry_references,
    list_reference_candidates,
    match_bank_entry,
    score_bank_match_candidate,
)
from services.invoicing.bank.domain.payer_names import FOLDED_LETTERS, normalise_payer_name
from services.invoicing.bank.domain.statements.statement_entries import BankEntryKind
from services.invoicing.payments.domain.debit_states import DebitState

RECEIPT = ReceivedBankEntry(BankEntryKind.RECEIPT, 500, "EUR", "Alpenrose Hotel")
ACCOUNT = BankMatchCandidate(UUID(int=1), "Alpenrose Hotel GmbH", "EUR", account_open=900)
INVOICE = replace(ACCOUNT, invoice_id=UUID(int=11), invoice_open=500)
NUMBERED = replace(INVOICE, by_number=True)
DEBIT = DebitNamedByBankEntry(
    id=UUID(int=70),
    account_id=UUID(int=1),
    name="Alpenrose Hotel GmbH",
    invoice_id=UUID(int=11),
    amount=500,
    currency="EUR",
    state=DebitState.INITIATED,
    has_entry=False,
)


@pytest.mark.parametrize(
    ("candidate", "score", "reasons"),
    [
        (INVOICE, 40, ("amount_of_invoice", "payer_name")),
        (NUMBERED, 100, ("invoice_number", "amount_of_invoice", "payer_name")),
        (replace(INVOICE, by_reference=True), 80, ("invoice_reference", "amount_of_invoice", "payer_name")),
        (
            replace(NUMBERED, by_reference=True, by_wrong_reference=True),
            100,
            ("invoice_number", "amount_of_invoice", "payer_name"),
        ),
        (replace(INVOICE, by_wrong_reference=True), 80, ("wrong_check_digits", "amount_of_invoice", "payer_name")),
        (
            replace(INVOICE, by_reference=True, by_wrong_reference=True),
            80,
            ("invoice_reference", "amount_of_invoice", "payer_name"),
        ),
        (replace(ACCOUNT, account_open=500), 35, ("all_open_of_account", "payer_name")),
        (
            replace(ACCOUNT, account_open=500, name="Alpenrose Bergbahn Betriebe"),
            25,
            ("all_open_of_account", "payer_name"),
        ),
        (replace(INVOICE, account_open=500), 40, ("amount_of_invoice", "payer_name")),
        (replace(INVOICE, invoice_open=0), 15, ("payer_name", "settled")),
        (replace(NUMBERED, currency="USD"), 75, ("invoice_number", "payer_name", "other_currency")),
        (replace(ACCOUNT, account_open=500, currency="USD"), 15, ("payer_name", "other_currency")),
        (replace(INVOICE, has_debit=True), 40, ("amount_of_invoice", "payer_name", "debit_in_flight")),
        (replace(ACCOUNT, name="GmbH"), 0, ()),
    ],
)
def test_points_add_up_what_speaks_for_a_candidate(
    candidate: BankMatchCandidate, score: int, reasons: tuple[str, ...]
) -> None:
    assert score_bank_match_candidate(RECEIPT, candidate) == ScoredBankMatch(candidate, score, reasons)


def test_a_doubtful_entry_says_so_and_is_never_certain() -> None:
    doubtful = replace(RECEIPT, is_doubtful=True)
    assert score_bank_match_candidate(doubtful, ACCOUNT).reasons == ("payer_name", "reference_in_other_format")
    assert match_bank_entry(doubtful, [NUMBERED]).certain is None
    assert match_bank_entry(RECEIPT, [NUMBERED]).certain == NUMBERED


def test_nothing_of_zero_is_the_amount_of_an_invoice_or_account() -> None:
    nothing = replace(RECEIPT, amount=0, payer=None)
    settled = replace(INVOICE, invoice_open=0, account_open=0)
    assert score_bank_match_candidate(nothing, settled) == ScoredBankMatch(settled, 0, ("settled",))
    assert score_bank_match_candidate(nothing, replace(ACCOUNT, account_open=0)).score == 0


@pytest.mark.parametrize(
    ("amount", "invoice_open", "account_open", "is_owed"),
    [
        (500, 500, 500, True),
        (500, 1, 500, True),
        (501, 500, 500, False),
        (500, 0, 500, False),
        (0, 1, 1, False),
        (1, 1, 1, True),
    ],
)
def test_a_matched_amount_is_owed_by_the_account(
    amount: int, invoice_open: int, account_open: int, is_owed: bool
) -> None:
    assert is_matched_amount_owed(amount, invoice_open, account_open) is is_owed


def test_invoices_that_are_named_together_are_proposed_as_their_account() -> None:
    first = replace(NUMBERED, invoice_open=200, by_reference=True)
    second = replace(first, invoice_id=UUID(int=12), invoice_open=300)
    proposals = match_bank_entry(RECEIPT, [second, first]).proposals
    account = replace(ACCOUNT, account_open=900)
    assert proposals[0] == ScoredBankMatch(account, 100, ("sum_of_named_invoices",))
    assert len(proposals) == 3
    stranger = replace(second, account_id=UUID(int=2))
    for candidates in (
        [first, stranger],
        [first, replace(second, by_number=False)],
        [first, replace(second, invoice_open=299)],
        [replace(first, currency="USD"), replace(second, currency="USD")],
        [replace(first, invoice_open=500)],
    ):
        reasons = [proposal.reasons for proposal in match_bank_entry(RECEIPT, candidates).proposals]
        assert ("sum_of_named_invoices",) not in reasons
    unknown = match_bank_entry(replace(RECEIPT, payer=None), [first, second]).proposals
    assert unknown[0] == ScoredBankMatch(account, 85, ("sum_of_named_invoices",))


def test_equal_proposals_stand_in_the_order_of_accounts_and_invoices() -> None:
    candidates = [
        replace(INVOICE, account_id=UUID(int=number), invoice_id=UUID(int=20 - number)) for number in (3, 1, 2)
    ]
    candidates.append(replace(INVOICE, account_id=UUID(int=1), invoice_id=UUID(int=5)))
    proposals = match_bank_entry(RECEIPT, candidates).proposals
    places = [
        (proposal.candidate.account_id.int, proposal.candidate.invoice_id.int)
        for proposal in proposals
        if proposal.candidate.invoice_id
    ]
    assert places == [(1, 5), (1, 19), (2, 18), (3, 17)]


def test_an_entry_that_names_a_debit_of_its_amount_is_its_payment() -> None:
    proposal = BankMatchCandidate(UUID(int=1), "Alpenrose Hotel GmbH", "EUR", 0, UUID(int=11))
    other = replace(NUMBERED, invoice_id=UUID(int=12))
    matched = match_bank_entry(RECEIPT, [NUMBERED, other], [DEBIT])
    assert matched == BankMatch(
        proposal,
        (
            ScoredBankMatch(proposal, 100, ("debit_initiated",)),
            ScoredBankMatch(other, 100, ("invoice_number", "amount_of_invoice", "payer_name")),
        ),
        UUID(int=70),
    )


@pytest.mark.parametrize(
    ("receipt", "debits"),
    [
        (replace(RECEIPT, is_doubtful=True), [DEBIT]),
        (replace(RECEIPT, kind=BankEntryKind.DEBIT), [DEBIT]),
        (RECEIPT, [DEBIT, replace(DEBIT, id=UUID(int=71), invoice_id=UUID(int=12), amount=400)]),
        (RECEIPT, [DEBIT, replace(DEBIT, id=UUID(int=71), invoice_id=UUID(int=12))]),
    ],
)
def test_a_debit_that_is_not_beyond_doubt_waits_for_a_person(
    receipt: ReceivedBankEntry, debits: list[DebitNamedByBankEntry]
) -> None:
    matched = match_bank_entry(receipt, [], debits)
    assert (matched.certain, matched.debit_id) == (None, None)
    assert matched.proposals[0].score == 100


@pytest.mark.parametrize(
    "debit",
    [
        replace(DEBIT, amount=499),
        replace(DEBIT, currency="USD"),
        replace(DEBIT, state=DebitState.REFUSED),
        replace(DEBIT, has_entry=True),
        replace(DEBIT, state=DebitState.SETTLED, has_entry=True),
    ],
)
def test_a_debit_of_another_amount_is_proposed_only(debit: DebitNamedByBankEntry) -> None:
    matched = match_bank_entry(RECEIPT, [], [debit])
    assert (matched.certain, matched.debit_id) == (None, None)
    assert [(proposal.score, proposal.reasons) for proposal in matched.proposals] == [(60, (f"debit_{debit.state}",))]


def test_the_debit_of_just_the_amount_is_proposed_first_and_then_by_account() -> None:
    debits = [
        replace(
            DEBIT,
            id=UUID(int=70 + number),
            account_id=UUID(int=number),
            invoice_id=UUID(int=10 + number),
            amount=amount,
        )
        for number, amount in ((3, 400), (2, 400), (4, 500))
    ]
    proposals = match_bank_entry(RECEIPT, [], debits).proposals
    assert [(proposal.candidate.account_id.int, proposal.score) for proposal in proposals] == [
        (4, 100),
        (2, 60),
        (3, 60),
    ]


@pytest.mark.parametrize(
    ("kind", "is_certain", "state"),
    [
        (BankEntryKind.RECEIPT, True, BankEntryState.CERTAIN),
        (BankEntryKind.RECEIPT, False, BankEntryState.UNMATCHED),
        (BankEntryKind.DEBIT, False, BankEntryState.KEPT),
    ],
)
def test_an_entry_comes_in_as_certain_for_a_person_or_kept(
    kind: BankEntryKind, is_certain: bool, state: BankEntryState
) -> None:
    assert choose_entry_state(kind, is_certain=is_certain) is state


def test_words_in_a_row_are_a_number_up_to_five_and_sixty_characters() -> None:
    numbers = ["00000001", "0000", "0001", "DE0000", "DE00000001", "GSDE0000", "GSDE00000001"]
    assert list_reference_candidates("gs de 0000 0001") == sorted(numbers)
    assert "ABCDE1" in list_reference_candidates("a b c d e1")
    assert "ABCDEF1" not in list_reference_candidates("a b c d e f1")
    assert list_reference_candidates("a12 b") == []
    assert list_reference_candidates("1234") == ["1234"]
    assert list_reference_candidates("1" * 60) == ["1" * 60]
    assert list_reference_candidates("1" * 61) == []


@pytest.mark.parametrize(
    ("name", "compared"),
    [
        ("Müller & Söhne KG", "muellersoehne"),
        ("ÉCLAIR sàrl Genève", "eclairgeneve"),
        ("Øresund AS", "oresundas"),
        ("Łódź Sp. z o.o.", "lodzspzoo"),
        ("Straße 7 GmbH", "strasse7"),
        ("ÆON œuvre", "aeonoeuvre"),
        ("ıŧđħ Ltd", "itdh"),
        ("Việt Nam", "vietnam"),
    ],
)
def test_a_name_is_compared_without_accents_and_legal_forms(name: str, compared: str) -> None:
    assert normalise_payer_name(name) == compared


def test_letters_are_folded_to_one_small_letter_and_those_that_are_not_are_left() -> None:
    assert [FOLDED_LETTERS.get(letter) for letter in "ÀÿŽ×÷ÞǄẞỹ"] == ["a", "y", "z", None, None, None, "d", "ß", "y"]
    assert "ß" not in FOLDED_LETTERS
    assert "a" not in FOLDED_LETTERS


def test_structured_references_stand_for_their_numbers() -> None:
    assert "539007547034" in list_entry_references("RF18 5390 0754 7034", [])
    assert "!539007547034" in list_entry_references("RF19 5390 0754 7034", [])
    assert list_entry_references("", ["rf18-5390.0754 7034", "", "e2e 7"]) == [
        "539007547034",
        "E2E7",
        "RF18539007547034",
    ]
