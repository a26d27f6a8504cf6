"""Entries of camt.053 as they were read when references were not kept: by that reading such entries are known again."""

from xml.etree.ElementTree import Element

from services.invoicing.bank.domain.statements.camt_elements import (
    find_first_xml_text,
    find_xml_elements,
    join_texts_of_elements,
    join_xml_texts,
)
from services.invoicing.bank.domain.statements.statement_entries import FormerBankEntryReading


def read_camt_as_before(entry: Element, amount: Element, is_credit: bool) -> list[FormerBankEntryReading]:
    """Read an entry as it was read then: split by the amounts of its transactions, whatever they add up to."""
    details = find_xml_elements(entry, "NtryDtls/TxDtls")
    parts = list_camt_entry_amounts(amount, details)
    reference = find_first_xml_text(entry, "AcctSvcrRef", "NtryRef")
    readings = []
    for number, (money, details) in enumerate(parts, 1):
        own = find_first_xml_text(details[0], "Refs/AcctSvcrRef") if details and len(parts) > 1 else ""
        reading = FormerBankEntryReading(
            amount=(money.text or "").strip(),
            is_credit=is_credit,
            payer=join_texts_of_elements(details, "RltdPties/Dbtr/Nm", "RltdPties/Dbtr/Pty/Nm")
            if len(details) == 1
            else "",
            text=_text(entry, details),
            reference=own or (f"{reference}/{number}" if reference and len(parts) > 1 else reference),
        )
        readings.append(reading)
    return readings


def list_camt_entry_amounts(amount: Element, details: list[Element]) -> list[tuple[Element, list[Element]]]:
    """List the amounts of an entry, with the transactions of each; one if the bank does not tell them all."""
    amounts = [part.find("Amt") if part.find("Amt") is not None else part.find("AmtDtls/TxAmt/Amt") for part in details]
    pairs = [(money, [part]) for money, part in zip(amounts, details, strict=True) if money is not None]
    currencies = {money.get("Ccy") for money, _ in pairs}
    if len(details) < 2 or len(pairs) < len(details) or currencies != {amount.get("Ccy")}:
        return [(amount, details)]
    return pairs


def _text(entry: Element, details: list[Element]) -> str:
    where = ("RmtInf/Ustrd", "RmtInf/Strd/CdtrRefInf/Ref", "RmtInf/Strd/RfrdDocInf/Nb", "Refs/EndToEndId")
    return join_texts_of_elements(details, *where) or join_xml_texts(entry, "AddtlNtryInf")
