"""The payments of an entry of camt.053: its transactions where they add up to it, else the entry as a whole."""

from dataclasses import dataclass
from xml.etree.ElementTree import Element

from services.invoicing.bank.domain.statements.camt_elements import (
    find_first_xml_text,
    find_xml_elements,
    join_xml_texts,
)
from services.invoicing.bank.domain.statements.camt_former import list_camt_entry_amounts, read_camt_as_before
from services.invoicing.bank.domain.statements.statement_entries import (
    BankEntryKind,
    FormerBankEntryReading,
    is_placeholder_reference,
    refuse_bank_statement,
)
from shared.pure.money import parse_minor_units

DIRECTIONS = {"CRDT": True, "DBIT": False}
"""Whether money came in."""


@dataclass(frozen=True, slots=True)
class CamtEntryPayment:
    """A payment of an entry, or the entry as a whole."""

    amount: str
    currency: str
    is_credit: bool
    payer: str
    text: str
    reference: str
    kind: BankEntryKind
    ids: tuple[str, ...]
    return_reason: str
    former_readings: tuple[FormerBankEntryReading, ...]


def split_camt_entry(entry: Element, place: int) -> list[CamtEntryPayment]:
    """Split an entry into its transactions, each with its own sign, if they add up to it.

    Raises BankStatementRefused.
    """
    is_credit = _direction(entry, place)
    amount = entry.find("Amt")
    if amount is None:
        refuse_bank_statement(place, "Amt", "missing")
    details = find_xml_elements(entry, "NtryDtls/TxDtls")
    former = read_camt_as_before(entry, amount, is_credit)
    pairs = list_camt_entry_amounts(amount, details)
    signed = (
        [(money, details[0], _direction(details[0], place, is_credit)) for money, details in pairs]
        if len(pairs) > 1
        else []
    )
    if signed and _count(entry) <= len(details) and _adds_up(amount, is_credit, signed):
        return [
            _part(entry, money, [details], own, (reading,), is_whole=False)
            for (money, details, own), reading in zip(signed, former, strict=True)
        ]
    return [_part(entry, amount, details, is_credit, tuple(former), is_whole=True)]


def _direction(element: Element, place: int, otherwise: bool | None = None) -> bool:
    written = find_first_xml_text(element, "CdtDbtInd")
    if not written and otherwise is not None:
        return otherwise
    if written not in DIRECTIONS:
        refuse_bank_statement(place, "CdtDbtInd", "neither CRDT nor DBIT")
    return DIRECTIONS[written]


def _adds_up(amount: Element, is_credit: bool, signed: list[tuple[Element, Element, bool]]) -> bool:
    """Whether transactions, each with its sign, come to just the entry."""
    currency = amount.get("Ccy", "")
    try:
        total = sum(_parse_signed_amount(money, currency, own) for money, _, own in signed)
        return total == _parse_signed_amount(amount, currency, is_credit)
    except ValueError:
        return False


def _parse_signed_amount(money: Element, currency: str, is_credit: bool) -> int:
    minor = parse_minor_units((money.text or "").strip(), currency)
    return minor if is_credit else -minor


def _part(
    entry: Element,
    money: Element,
    details: list[Element],
    is_credit: bool,
    former: tuple[FormerBankEntryReading, ...],
    *,
    is_whole: bool,
) -> CamtEntryPayment:
    return CamtEntryPayment(
        amount=(money.text or "").strip(),
        currency=money.get("Ccy", ""),
        is_credit=is_credit,
        payer=_payers(details[0])[0] if len(details) == 1 else "",
        text=_text(entry, details, is_whole=is_whole),
        reference=_reference(entry, None if is_whole else details[0]),
        kind=_kind(entry, details, is_credit, is_whole=is_whole),
        ids=_ids(entry, details, is_whole=is_whole),
        return_reason=" ".join(dict.fromkeys(filter(None, map(_return_reason, details)))),
        former_readings=former,
    )


def _text(entry: Element, details: list[Element], *, is_whole: bool) -> str:
    """Collect what is said of a payment; the bank's text on the entry is about the whole, and no part's."""
    texts = [_transaction_text(part) for part in details]
    of_entry = join_xml_texts(entry, "AddtlNtryInf")
    if is_whole and not any(of_entry in text for text in texts):
        texts.append(of_entry)
    return " ".join(text for text in texts if text)


TEXTS = ("RmtInf/Ustrd", "RmtInf/Strd/CdtrRefInf/Ref", "RmtInf/Strd/RfrdDocInf/Nb", "RmtInf/Strd/AddtlRmtInf")
"""Where the payer's text of a transaction stands."""


def _transaction_text(part: Element) -> str:
    """Everything that is said of a transaction: why it was returned, and for whom somebody else paid, too."""
    own_id = join_xml_texts(part, "Refs/EndToEndId")
    texts = [
        join_xml_texts(part, *TEXTS),
        "" if is_placeholder_reference(own_id) else own_id,
        join_xml_texts(part, "AddtlTxInf"),
    ]
    return " ".join(filter(None, [*texts, *_payers(part)[1:], _return_reason(part)]))


def _payers(part: Element) -> list[str]:
    """The names of who owes it and of who paid, if that is somebody else; one that is empty if there are none."""
    names = (
        join_xml_texts(part, f"RltdPties/{party}/Nm", f"RltdPties/{party}/Pty/Nm") for party in ("UltmtDbtr", "Dbtr")
    )
    return list(dict.fromkeys(name for name in names if name)) or [""]


def _return_reason(part: Element) -> str:
    """Why a transaction was returned: the code of ISO 20022 and what the bank adds."""
    return join_xml_texts(part, "RtrInf/Rsn/Cd", "RtrInf/Rsn/Prtry", "RtrInf/AddtlInf")


def _reference(entry: Element, part: Element | None) -> str:
    """The bank's reference of a transaction of a collective entry, or else of the entry."""
    references = [] if part is None else [find_first_xml_text(part, "Refs/AcctSvcrRef")]
    references += [find_first_xml_text(entry, "AcctSvcrRef"), find_first_xml_text(entry, "NtryRef")]
    return next((reference for reference in references if not is_placeholder_reference(reference)), "")


def _ids(entry: Element, details: list[Element], *, is_whole: bool) -> tuple[str, ...]:
    """By what the parties call these transactions, and by what they call the batch if it is one entry."""
    paths = ("Refs/EndToEndId", "RmtInf/Strd/CdtrRefInf/Ref")
    ids = [element.text or "" for part in details for path in paths for element in find_xml_elements(part, path)]
    if is_whole:
        paths = ("NtryDtls/Btch/PmtInfId", "NtryDtls/Btch/MsgId")
        ids += [element.text or "" for path in paths for element in find_xml_elements(entry, path)]
    return tuple(ids)


def _count(entry: Element) -> int:
    """How many transactions the bank says that the entry has; 0 if it does not say."""
    written = [(element.text or "").strip() for element in find_xml_elements(entry, "NtryDtls/Btch/NbOfTxs")]
    return sum(int(number) for number in written if number.isascii() and number.isdigit() and len(number) < 16)


def _kind(entry: Element, details: list[Element], is_credit: bool, *, is_whole: bool) -> BankEntryKind:
    """Say which kind an entry is: what is taken back (wholly, if money came in) is a return, several are collective."""
    returned = [part.find("RtrInf") is not None for part in details]
    is_return = bool(returned) and (all(returned) if is_credit else any(returned))
    if find_first_xml_text(entry, "RvslInd") in ("true", "1") or is_return:
        return BankEntryKind.RETURN
    count = _count(entry)
    is_batch = not details and entry.find("NtryDtls/Btch") is not None and count != 1
    is_collective = is_batch or len(details) > 1 or count > max(1, len(details))
    return BankEntryKind.COLLECTIVE if is_whole and is_collective else BankEntryKind.RECEIPT
