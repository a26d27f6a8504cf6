"""Matching of entries of bank statements with open invoices: what an entry says is weighed.

A candidate's score goes from 0 to 100, and only adds up what speaks for it. It is certain, and booked without
a person, only if the number of an open invoice stands literally in the text, no other candidate scores as high as
`CERTAIN`, the currency agrees and the account owes at least the amount. Everything else waits for a person, who
gets the best proposals with their reasons.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import groupby
from uuid import UUID

from services.invoicing.bank.domain.carried_debit import DebitNamedByBankEntry
from services.invoicing.bank.domain.payer_names import split_payer_name_words
from services.invoicing.bank.domain.statements.statement_entries import BankEntryKind
from shared.pure.payment_references import MOST, has_valid_check_digits

CERTAIN = 60
"""From this score on a candidate is certain, if it is the only one, by number, and owes the amount."""
PROPOSALS = 5
BY_NUMBER, BY_REFERENCE, BY_AMOUNT, BY_TOTAL, BY_NAME = 60, 40, 25, 20, 15
"""Points for a candidate: the invoice's number or our customer's name for it in the text, an amount that is
just what is open of the invoice, or of all the account's invoices or of those named; the payer's name."""
BY_DEBIT = 100
"""A direct debit of just the amount, by its reference."""

LONGEST_GRAM = 5
"""Words of a number that a bank may have pulled apart (`GS DE 0000 0001`)."""
LONGEST_STRUCTURED = 10
"""Words of a structured reference: in groups of four, as it is printed, with some that were broken once more."""
CHECK_DIGITS = re.compile("RF[0-9]{2}")
STRUCTURED = re.compile(f"RF[0-9]{{2}}[A-Z0-9]{{1,{MOST}}}")
WRONG = "!"
"""Mark before a number whose structured reference has wrong check digits."""
SHORTEST_NUMBER = 4
"""Characters: shorter ones are found in any text."""


class BankEntryState(StrEnum):
    """State of a bank entry."""

    CERTAIN = "certain"
    UNMATCHED = "unmatched"
    BOOKED = "booked"
    IGNORED = "ignored"
    KEPT = "kept"


def choose_entry_state(kind: BankEntryKind, *, is_certain: bool) -> BankEntryState:
    """Choose the state in which an entry comes in: to be booked, for a person, or only kept.

    `repository.bank_matching_queries.CHOOSE_ENTRY_STATE` does it for a whole statement.
    """
    if is_certain:
        return BankEntryState.CERTAIN
    return BankEntryState.KEPT if kind is BankEntryKind.DEBIT else BankEntryState.UNMATCHED


ENTRY_ALLOWED: dict[BankEntryState, frozenset[BankEntryState]] = {
    BankEntryState.CERTAIN: frozenset({BankEntryState.BOOKED, BankEntryState.UNMATCHED, BankEntryState.IGNORED}),
    BankEntryState.UNMATCHED: frozenset({BankEntryState.BOOKED, BankEntryState.IGNORED}),
    BankEntryState.BOOKED: frozenset(),
    BankEntryState.IGNORED: frozenset(),
    BankEntryState.KEPT: frozenset(),
}
"""What is certain waits after all if the facts are others when it is booked. Money that left is only kept."""


@dataclass(frozen=True, slots=True)
class ReceivedBankEntry:
    """An entry as far as it matters here; minor units."""

    kind: BankEntryKind
    amount: int
    currency: str
    payer: str | None
    is_doubtful: bool = False
    """Its reference came in a file of another format: it may be the same money."""


@dataclass(frozen=True, slots=True)
class BankMatchCandidate:
    """An account, or one invoice of it, with what is open of both, that an entry may be meant for."""

    account_id: UUID
    name: str
    currency: str
    account_open: int
    invoice_id: UUID | None = None
    invoice_open: int = 0
    by_number: bool = False
    by_reference: bool = False
    by_wrong_reference: bool = False
    """Its structured reference stands in the text, with check digits that are wrong."""
    has_debit: bool = False
    """A direct debit of the invoice is in flight, so its money may be that."""


@dataclass(frozen=True, slots=True)
class ScoredBankMatch:
    """A candidate with its score and what speaks for and against it."""

    candidate: BankMatchCandidate
    score: int
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BankMatch:
    """The certain candidate if there is one, with the debit that it is the payment of; and the best proposals."""

    certain: BankMatchCandidate | None
    proposals: tuple[ScoredBankMatch, ...]
    debit_id: UUID | None = None


def match_bank_entry(
    receipt: ReceivedBankEntry, candidates: Iterable[BankMatchCandidate], debits: Sequence[DebitNamedByBankEntry] = ()
) -> BankMatch:
    """Weigh the candidates of an entry, and the debits whose reference it carries."""
    listed_candidates = list(candidates)
    scored = [score_bank_match_candidate(receipt, candidate) for candidate in listed_candidates] + list(
        _named_together(receipt, listed_candidates)
    )
    scored.sort(
        key=lambda proposal: (-proposal.score, str(proposal.candidate.account_id), str(proposal.candidate.invoice_id))
    )
    if debits:
        return _judge_debits(receipt, debits, scored)
    high = [proposal for proposal in scored if proposal.score >= CERTAIN]
    sure = [proposal.candidate for proposal in high if len(high) == 1 and _is_sure(receipt, proposal.candidate)]
    return BankMatch(sure[0] if sure else None, tuple(scored[:PROPOSALS]))


def _judge_debits(
    receipt: ReceivedBankEntry, debits: Sequence[DebitNamedByBankEntry], scored: Sequence[ScoredBankMatch]
) -> BankMatch:
    """Judge an entry that carries a debit's reference: it pays that debit, or a person decides."""
    paid = [debit for debit in debits if is_full_debit_payment(debit, receipt.amount, receipt.currency)]
    proposals = [_propose_debit(debit, is_paid=debit in paid) for debit in debits]
    proposals.sort(key=lambda proposal: (-proposal.score, str(proposal.candidate.account_id)))
    invoice_ids = {debit.invoice_id for debit in debits}
    others = [proposal for proposal in scored if proposal.candidate.invoice_id not in invoice_ids]
    together = tuple((proposals + others)[:PROPOSALS])
    is_sure = len(paid) == len(debits) == 1 and receipt.kind is BankEntryKind.RECEIPT and not receipt.is_doubtful
    return BankMatch(proposals[0].candidate, together, paid[0].id) if is_sure else BankMatch(None, together)


def is_full_debit_payment(debit: DebitNamedByBankEntry, amount: int, currency: str) -> bool:
    """Whether an entry of this amount is the money of a debit."""
    return debit.awaits_bank_entry and (debit.amount, debit.currency) == (amount, currency)


def _propose_debit(debit: DebitNamedByBankEntry, *, is_paid: bool) -> ScoredBankMatch:
    candidate = BankMatchCandidate(debit.account_id, debit.name, debit.currency, 0, debit.invoice_id)
    return ScoredBankMatch(candidate, BY_DEBIT if is_paid else BY_NUMBER, (f"debit_{debit.state}",))


def _is_sure(receipt: ReceivedBankEntry, candidate: BankMatchCandidate) -> bool:
    if receipt.is_doubtful or candidate.has_debit:
        return False
    is_receipt = receipt.kind is BankEntryKind.RECEIPT and receipt.currency == candidate.currency
    return (
        is_receipt
        and candidate.by_number
        and is_matched_amount_owed(receipt.amount, candidate.invoice_open, candidate.account_open)
    )


def is_matched_amount_owed(amount: int, invoice_open: int, account_open: int) -> bool:
    """Whether a named invoice is open and its account owes the amount: true before it is booked, too."""
    return invoice_open > 0 and 0 < amount <= account_open


def score_bank_match_candidate(receipt: ReceivedBankEntry, candidate: BankMatchCandidate) -> ScoredBankMatch:
    """The score of one candidate, from 0 to 100, with its reasons."""
    agrees = receipt.currency == candidate.currency
    is_amount = agrees and candidate.invoice_id is not None and receipt.amount == candidate.invoice_open > 0
    is_total = agrees and not is_amount and receipt.amount == candidate.account_open > 0
    reasons = {
        "invoice_number": BY_NUMBER * candidate.by_number,
        "invoice_reference": BY_REFERENCE * (candidate.by_reference and not candidate.by_number),
        "wrong_check_digits": BY_REFERENCE
        * (candidate.by_wrong_reference and not candidate.by_number and not candidate.by_reference),
        "amount_of_invoice": BY_AMOUNT * is_amount,
        "all_open_of_account": BY_TOTAL * is_total,
        "payer_name": compute_payer_name_likeness(receipt.payer or "", candidate.name),
    }
    against = ("settled",) * (candidate.invoice_id is not None and candidate.invoice_open == 0)
    against += ("other_currency",) * (not agrees)
    against += ("debit_in_flight",) * candidate.has_debit
    against += ("reference_in_other_format",) * receipt.is_doubtful
    return ScoredBankMatch(
        candidate, sum(reasons.values()), tuple(reason for reason, points in reasons.items() if points) + against
    )


def _named_together(receipt: ReceivedBankEntry, candidates: Sequence[BankMatchCandidate]) -> Iterator[ScoredBankMatch]:
    """Accounts of which several invoices are named that come to just the amount."""
    named = sorted(
        (candidate for candidate in candidates if candidate.by_number and candidate.invoice_open),
        key=lambda candidate: (candidate.account_id, str(candidate.invoice_id)),
    )
    for _, group in groupby(named, key=lambda candidate: candidate.account_id):
        ones = list(group)
        together = sum(candidate.invoice_open for candidate in ones)
        if len(ones) > 1 and together == receipt.amount and ones[0].currency == receipt.currency:
            account = replace(ones[0], invoice_id=None, invoice_open=0, by_number=False, by_reference=False)
            points = BY_NUMBER + BY_AMOUNT + compute_payer_name_likeness(receipt.payer or "", account.name)
            yield ScoredBankMatch(account, points, ("sum_of_named_invoices",))


def compute_payer_name_likeness(payer: str, name: str) -> int:
    """How much of an account's name the payer's has, from 0 to BY_NAME."""
    wanted = split_payer_name_words(name)
    return BY_NAME * len(wanted & split_payer_name_words(payer)) // len(wanted) if wanted else 0


def normalise_reference(number: str) -> str:
    """A number or reference as it is looked up: letters and digits alone, capitals.

    Statements have it as NORMAL_NUMBER of `bank.tables`.
    """
    return re.sub("[^A-Za-z0-9]", "", number).upper()


def list_entry_references(text: str, ids: Iterable[str]) -> list[str]:
    """List what an entry may name: what in its text may be a number, and the ids of its payment.

    A structured reference (ISO 11649) stands for the number that it is made of, marked if its check digits are wrong.
    """
    normal_ids = [normalise_reference(id_) for id_ in ids]
    numbers = {*list_reference_candidates(text), *normal_ids} - {""}
    for words in (_words(text), *([id_] for id_ in normal_ids)):
        numbers |= {number if is_right else WRONG + number for number, is_right in _structured_numbers(words)}
    return sorted(numbers)


def list_reference_candidates(text: str) -> list[str]:
    """List what in a text may be a number: words, and words in a row that a bank may have pulled apart.

    Only whole words count, so that no number is found within a longer one; the last word has a digit. The number of a
    structured reference counts if its check digits are right.
    """
    words = _words(text)
    not_begun = _list_after_check_digits(words)
    plain_numbers = {
        "".join(words[begin:end])
        for end in range(1, len(words) + 1)
        if not words[end - 1].isalpha()
        for begin in range(max(0, end - LONGEST_GRAM), end)
        if begin not in not_begun
    }
    structured = {number for number, is_right in _structured_numbers(words) if is_right}
    return sorted(number for number in plain_numbers | structured if SHORTEST_NUMBER <= len(number) <= 60)


def _words(text: str) -> list[str]:
    return [word.upper() for word in re.findall("[A-Za-z0-9]+", text)]


def _list_after_check_digits(words: Sequence[str]) -> set[int]:
    """List the words behind an `RF` and check digits that stand apart: these decide about the number that follows."""
    ends = set()
    for begin, word in enumerate(words):
        if CHECK_DIGITS.fullmatch(word):
            ends.add(begin + 1)
        elif word == "RF" and CHECK_DIGITS.fullmatch("".join(words[begin : begin + 2])):
            ends.add(begin + 2)
    return ends


def _structured_numbers(words: Sequence[str]) -> Iterator[tuple[str, bool]]:
    """Find the numbers of the structured references that begin with a word, each with whether its digits are right."""
    for begin, word in enumerate(words):
        if not word.startswith("RF"):
            continue
        for end in range(begin + 1, min(len(words), begin + LONGEST_STRUCTURED) + 1):
            reference = "".join(words[begin:end])
            if STRUCTURED.fullmatch(reference) and not words[end - 1].isalpha():
                yield reference[4:], has_valid_check_digits(reference)
