"""Matching of payers: nothing is certain that could be somebody else's, or more than is owed."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.invoicing.bank.domain.entry_matching import (
    CERTAIN,
    ENTRY_ALLOWED,
    PROPOSALS,
    WRONG,
    BankEntryState,
    BankMatchCandidate,
    ReceivedBankEntry,
    compute_payer_name_likeness,
    list_entry_references,
    list_reference_candidates,
    match_bank_entry,
    normalise_reference,
    score_bank_match_candidate,
)
from services.invoicing.bank.domain.statements.statement_entries import BankEntryKind
from services.invoicing.settings.domain.approval_states import StateMoveRefused, check_state_move
from shared.pure.payment_references import MOST, build_creditor_reference, group_by_four

NAMES = ("Alpha GmbH", "Beta Trading Ltd", "Müller & Söhne KG")


@st.composite
def receipts(draw: st.DrawFn) -> ReceivedBankEntry:
    """An entry; small amounts, so that they often equal what is open."""
    return ReceivedBankEntry(
        draw(st.sampled_from(BankEntryKind)),
        draw(st.integers(0, 6)),
        draw(st.sampled_from(("EUR", "USD"))),
        draw(st.sampled_from((None, "", *NAMES, "mueller und soehne"))),
    )


@st.composite
def candidates(draw: st.DrawFn, *, is_invoice: bool | None = None) -> BankMatchCandidate:
    """Draw an account, or an invoice of it, as the lookup finds it."""
    if is_invoice is None:
        is_invoice = draw(st.booleans())
    invoice_open = draw(st.integers(0, 6)) if is_invoice else 0
    return BankMatchCandidate(
        account_id=UUID(int=draw(st.integers(1, 3))),
        name=draw(st.sampled_from(NAMES)),
        currency=draw(st.sampled_from(("EUR", "EUR", "USD"))),
        account_open=invoice_open + draw(st.integers(0, 6)),
        invoice_id=UUID(int=draw(st.integers(10, 16))) if is_invoice else None,
        invoice_open=invoice_open,
        by_number=is_invoice and draw(st.booleans()),
        by_reference=is_invoice and draw(st.booleans()),
    )


def lists(most: int = 6) -> st.SearchStrategy[list[BankMatchCandidate]]:
    """Candidates of one entry, each invoice or account once."""
    return st.lists(
        candidates(), max_size=most, unique_by=lambda candidate: candidate.invoice_id or candidate.account_id
    )


@given(receipts(), lists())
def test_what_is_certain_is_named_open_owed_and_of_this_currency(
    receipt: ReceivedBankEntry, candidates: list[BankMatchCandidate]
) -> None:
    sure = match_bank_entry(receipt, candidates).certain
    if sure is not None:
        assert receipt.kind is BankEntryKind.RECEIPT
        assert sure in candidates
        assert sure.by_number
        assert sure.invoice_open > 0
        assert 0 < receipt.amount <= sure.account_open
        assert sure.currency == receipt.currency


@st.composite
def certain_candidates(draw: st.DrawFn) -> tuple[ReceivedBankEntry, BankMatchCandidate]:
    """Draw an entry and an invoice that scores enough for it: by its number, or by our reference and its amount."""
    receipt, invoice = draw(receipts()), draw(candidates(is_invoice=True))
    if draw(st.booleans()):
        return receipt, replace(invoice, by_number=True)
    amount = draw(st.integers(1, 6))
    owed_minor = amount + draw(st.integers(0, 6))
    invoice = replace(
        invoice, by_reference=True, currency=receipt.currency, invoice_open=amount, account_open=owed_minor
    )
    return replace(receipt, amount=amount), invoice


@given(certain_candidates(), lists())
def test_with_an_equal_candidate_nothing_is_certain(
    pair: tuple[ReceivedBankEntry, BankMatchCandidate], others: list[BankMatchCandidate]
) -> None:
    receipt, invoice = pair
    assert score_bank_match_candidate(receipt, invoice).score >= CERTAIN
    twin = replace(invoice, invoice_id=UUID(int=99))
    assert match_bank_entry(receipt, [*others, invoice, twin]).certain is None


@given(receipts(), lists(), st.data())
def test_the_order_of_candidates_does_not_matter(
    receipt: ReceivedBankEntry, candidates: list[BankMatchCandidate], drawing: st.DataObject
) -> None:
    assert match_bank_entry(receipt, candidates) == match_bank_entry(receipt, drawing.draw(st.permutations(candidates)))


@given(receipts(), lists())
def test_proposals_are_the_best_in_order(receipt: ReceivedBankEntry, candidates: list[BankMatchCandidate]) -> None:
    scores = [proposal.score for proposal in match_bank_entry(receipt, candidates).proposals]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 100 for score in scores)
    assert min(PROPOSALS, len(candidates)) <= len(scores) <= PROPOSALS
    others = sorted((score_bank_match_candidate(receipt, candidate).score for candidate in candidates), reverse=True)
    assert not others or scores[0] >= others[0]


def more(receipt: ReceivedBankEntry, candidate: BankMatchCandidate) -> Sequence[BankMatchCandidate]:
    """The candidate with one more thing that speaks for it."""
    better = [
        replace(candidate, by_number=True),
        replace(candidate, by_reference=True),
        replace(candidate, currency=receipt.currency),
    ]
    if receipt.payer:
        better.append(replace(candidate, name=receipt.payer))
    if candidate.invoice_id is not None and receipt.currency == candidate.currency:
        better.append(replace(candidate, invoice_open=receipt.amount))
    return better


@given(receipts(), candidates())
def test_what_speaks_for_a_candidate_never_lowers_its_score(
    receipt: ReceivedBankEntry, candidate: BankMatchCandidate
) -> None:
    before = score_bank_match_candidate(receipt, candidate).score
    assert all(score_bank_match_candidate(receipt, better).score >= before for better in more(receipt, candidate))


@given(receipts(), lists())
def test_a_further_candidate_makes_nothing_certain_that_was_not(
    receipt: ReceivedBankEntry, candidates: list[BankMatchCandidate]
) -> None:
    """Nor another one: who is found late can only cast doubt on what was sure without them."""
    if candidates and (sure := match_bank_entry(receipt, candidates).certain) is not None:
        assert match_bank_entry(receipt, [candidate for candidate in candidates if candidate is sure]).certain == sure


EUR = ReceivedBankEntry(BankEntryKind.RECEIPT, 500, "EUR", "Alpha GmbH")
OWED = BankMatchCandidate(UUID(int=1), "Alpha GmbH", "EUR", 900, UUID(int=10), 500, by_number=True)


@pytest.mark.parametrize(
    ("receipt", "candidate", "score", "certain"),
    [
        (EUR, OWED, 100, True),
        (replace(EUR, payer=None), OWED, 85, True),
        (replace(EUR, payer=None, amount=100), OWED, 60, True),
        (replace(EUR, amount=900), OWED, 95, True),
        (replace(EUR, amount=901), OWED, 75, False),
        (EUR, replace(OWED, by_number=False, by_reference=True), 80, False),
        (EUR, replace(OWED, by_number=False), 40, False),
        (EUR, replace(OWED, currency="USD"), 75, False),
        (EUR, replace(OWED, invoice_open=0), 75, False),
        (replace(EUR, kind=BankEntryKind.COLLECTIVE), OWED, 100, False),
        (replace(EUR, kind=BankEntryKind.RETURN), OWED, 100, False),
        (replace(EUR, payer="Beta"), OWED, 85, True),
        (EUR, replace(OWED, has_debit=True), 100, False),
        (EUR, replace(OWED, by_number=False, by_wrong_reference=True), 80, False),
        (replace(EUR, is_doubtful=True), OWED, 100, False),
    ],
)
def test_scores(receipt: ReceivedBankEntry, candidate: BankMatchCandidate, score: int, certain: bool) -> None:
    verdict = match_bank_entry(receipt, [candidate])
    assert (verdict.proposals[0].score, verdict.certain is not None) == (score, certain)


def test_invoices_that_are_named_together_are_one_proposal() -> None:
    other = replace(OWED, invoice_id=UUID(int=11), invoice_open=400)
    verdict = match_bank_entry(replace(EUR, amount=900), [OWED, other])
    assert verdict.certain is None
    best = verdict.proposals[0]
    assert (best.candidate.invoice_id, best.score, best.reasons) == (None, 100, ("sum_of_named_invoices",))


@pytest.mark.parametrize("written", ["GS-DE-00000017", "gs de 00000017", "GSDE0000 0017", "Re.GS/DE/00000017, Danke"])
def test_a_number_is_found_however_it_is_written(written: str) -> None:
    assert normalise_reference("GS-DE-00000017") in list_reference_candidates(f"Rechnung {written} vom 1. Maerz")


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("RF72NW00000004", "NW00000004"),
        ("RF72 NW00 0000 04", "NW00000004"),
        ("rf72nw00000004", "NW00000004"),
        ("rf72 nw00 0000 04", "NW00000004"),
        ("RF 72 NW-00000004", "NW00000004"),
        ("SVWZ+RF61NW00000008", "NW00000008"),
        ("Ref:RF29 NWDE 0000 0004, danke", "NWDE00000004"),
    ],
)
def test_a_structured_reference_names_the_number_that_it_is_made_of(written: str, number: str) -> None:
    assert number in list_reference_candidates(written)
    assert number in list_entry_references(
        "", [written.rpartition("+")[2].removesuffix(", danke").removeprefix("Ref:")]
    )
    assert number in list_entry_references(written, [])


@pytest.mark.parametrize(
    "written", ["RF73NW00000004", "RF73 NW00 0000 04", "rf73 NW-00000004", "RF 73 NW 00000004", "RF73 NW00000004"]
)
def test_a_structured_reference_with_wrong_check_digits_is_marked(written: str) -> None:
    for numbers in (list_entry_references(written, []), list_entry_references("", [written])):
        assert f"{WRONG}NW00000004" in numbers
        assert "NW00000004" not in numbers
    assert "NW00000004" not in list_reference_candidates(written)


def test_a_printed_reference_of_any_number_is_found() -> None:
    for length in range(4, MOST + 1):
        number = "".join(chr(65 + place) for place in range(length - 1)) + "7"
        reference = build_creditor_reference(number)
        assert reference is not None
        assert number in list_reference_candidates(f"thanks {group_by_four(reference)} for all")


@pytest.mark.parametrize("written", ["GS-DE-000000171", "XGS-DE-00000017", "GS-DE-0000001", "GS-DE"])
def test_a_number_within_another_is_not_found(written: str) -> None:
    assert normalise_reference("GS-DE-00000017") not in list_reference_candidates(written)


@given(st.from_regex(r"[A-Z]{2,4}-[A-Z]{2}-[0-9]{8}", fullmatch=True), st.text(max_size=30), st.text(max_size=30))
def test_a_number_among_other_words_is_always_found(number: str, before: str, after: str) -> None:
    assert normalise_reference(number) in list_reference_candidates(f"{before} {number} {after}")


@given(st.text(max_size=2000))
def test_what_a_text_may_name_is_bounded(text: str) -> None:
    grams = list_reference_candidates(text)
    assert len(grams) <= 5 * len(text.split() or [""]) * 40
    assert all(4 <= len(gram) <= 60 and gram == normalise_reference(gram) for gram in grams)


@pytest.mark.parametrize(
    ("payer", "name", "points"),
    [
        ("MUELLER SOEHNE", "Müller & Söhne GmbH", 15),
        ("Mueller", "Müller & Söhne GmbH", 7),
        ("Señor José", "senor jose ltd", 15),
        ("GmbH", "Alpha GmbH", 0),
        ("GmbH", "GmbH", 0),
        ("", "Alpha", 0),
    ],
)
def test_names_are_alike_by_their_words(payer: str, name: str, points: int) -> None:
    assert compute_payer_name_likeness(payer, name) == points


def test_what_was_decided_stays() -> None:
    for done in (BankEntryState.BOOKED, BankEntryState.IGNORED, BankEntryState.KEPT):
        assert ENTRY_ALLOWED[done] == frozenset()
        with pytest.raises(StateMoveRefused):
            check_state_move(ENTRY_ALLOWED, done, BankEntryState.BOOKED)
