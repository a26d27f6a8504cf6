"""Entries of camt.053 as they were read when references were not kept: by that reading such entries are known again."""

from xml.etree.ElementTree import Element

from services.invoicing.bank.domain.statements.camt_elements import (
    find_elements,
    find_first_text,
    join_texts,
    join_texts_of,
)
from services.invoicing.bank.domain.statements.statement_entries import FormerReading


def read_former(entry: Element, amount: Element, is_credit: bool) -> list[FormerReading]:
    """Read an entry as it was read then: split by the amounts of its transactions, whatever they add up to."""
    details = find_elements(entry, "NtryDtls/TxDtls")
    parts = list_amounts(amount, details)
    reference = find_first_text(entry, "AcctSvcrRef", "NtryRef")
    readings = []
    for number, (money, details) in enumerate(parts, 1):
        own = find_first_text(details[0], "Refs/AcctSvcrRef") if details and len(parts) > 1 else ""
        reading = FormerReading(
            amount=(money.text or "").strip(),
            is_credit=is_credit,
            payer=join_texts_of(details, "RltdPties/Dbtr/Nm", "RltdPties/Dbtr/Pty/Nm") if len(details) == 1 else "",
            text=_text(entry, details),
            reference=own or (f"{reference}/{number}" if reference and len(parts) > 1 else reference),
        )
        readings.append(reading)
    return readings


def list_amounts(amount: Element, details: list[Element]) -> list[tuple[Element, list[Element]]]:
    """List the amounts of an entry, with the transactions of each; one if the bank does not tell them all."""
    amounts = [part.find("Amt") if part.find("Amt") is not None else part.find("AmtDtls/TxAmt/Amt") for part in details]
    pairs = [(money, [part]) for money, part in zip(amounts, details, strict=True) if money is not None]
    currencies = {money.get("Ccy") for money, _ in pairs}
    if len(details) < 2 or len(pairs) < len(details) or currencies != {amount.get("Ccy")}:
        return [(amount, details)]
    return pairs


def _text(entry: Element, details: list[Element]) -> str:
    where = ("RmtInf/Ustrd", "RmtInf/Strd/CdtrRefInf/Ref", "RmtInf/Strd/RfrdDocInf/Nb", "Refs/EndToEndId")
    return join_texts_of(details, *where) or join_texts(entry, "AddtlNtryInf")
