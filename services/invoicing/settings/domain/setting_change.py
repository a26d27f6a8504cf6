"""Changes of settings that move money: which there are, and which of them nobody else has to agree to."""

import re
import unicodedata
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from shared.pure.payment_references import has_valid_check_digits

Values = Mapping[str, Any]
"""Values of a setting by name, as JSON has them; none of a setting that is not set."""


class SettingKind(StrEnum):
    """Kind of setting, which is what the audit calls it."""

    LEGAL_ENTITY = "legal_entity"
    TAX_RATE = "tax_rate"
    APPROVAL_LIMIT = "approval_limit"
    TOLERANCE = "tolerance"
    SECOND_PERSON = "second_person"
    LEDGER_PERIOD = "ledger_period"


SCOPES: dict[SettingKind, str] = {
    SettingKind.LEGAL_ENTITY: "invoicing:settings",
    SettingKind.TAX_RATE: "invoicing:settings",
    SettingKind.LEDGER_PERIOD: "invoicing:settings",
    SettingKind.APPROVAL_LIMIT: "invoicing:admin",
    SettingKind.TOLERANCE: "invoicing:admin",
    SettingKind.SECOND_PERSON: "invoicing:admin",
}
"""By kind, what opens the route that proposes it, and is needed to decide about it."""

GUARDED_FIELDS = (
    "iban",
    "bic",
    "bank_name",
    "mail_from",
    "reply_to",
    "tax_id",
    "country",
    "tax_calculator",
)
"""Fields of a legal entity that say where money goes, who writes in its name, and how it is taxed."""
WORDS_FIELDS = ("name", "address", "register_number", "footer", "footers", "signature")
"""Fields of a legal entity that its documents and mails show as they are: guarded if they name an account of a bank."""
IBAN_LENGTHS = {
    **dict.fromkeys(("NO",), 15),
    **dict.fromkeys(("BE",), 16),
    **dict.fromkeys(("DK", "FI", "FO", "GL", "NL"), 18),
    **dict.fromkeys(("MK", "SI"), 19),
    **dict.fromkeys(("AT", "BA", "EE", "KZ", "LT", "LU", "XK"), 20),
    **dict.fromkeys(("CH", "HR", "LI", "LV"), 21),
    **dict.fromkeys(("BG", "BH", "DE", "GB", "GE", "IE", "ME", "RS"), 22),
    **dict.fromkeys(("AE", "GI", "IL", "IQ", "TL"), 23),
    **dict.fromkeys(("AD", "CZ", "ES", "MD", "PK", "RO", "SA", "SE", "SK", "TN", "VG"), 24),
    **dict.fromkeys(("LY", "PT", "ST"), 25),
    **dict.fromkeys(("IS", "TR"), 26),
    **dict.fromkeys(("BI", "FR", "GR", "IT", "MC", "MR", "SM"), 27),
    **dict.fromkeys(("AL", "AZ", "CY", "DO", "GT", "HU", "LB", "NI", "PL"), 28),
    **dict.fromkeys(("BR", "EG", "PS", "QA", "UA"), 29),
    **dict.fromkeys(("JO", "KW", "MU"), 30),
    **dict.fromkeys(("MT", "SC"), 31),
    **dict.fromkeys(("LC",), 32),
    **dict.fromkeys(("RU",), 33),
}
"""Characters of an account number by country (the registry of ISO 13616)."""


def is_setting_change_harmless(kind: SettingKind, former: Values, wanted: Values) -> bool:
    """Say whether nobody gets more by a change, so that it needs no second person: it lowers, or changes nothing."""
    match kind:
        case SettingKind.LEGAL_ENTITY:
            return all(wanted.get(name) == former.get(name) for name in GUARDED_FIELDS) and not any(
                wanted.get(name) != former.get(name) and contains_iban(wanted.get(name)) for name in WORDS_FIELDS
            )
        case SettingKind.APPROVAL_LIMIT | SettingKind.TOLERANCE:
            return bool(wanted["amount_minor"] <= former.get("amount_minor", 0))
        case SettingKind.SECOND_PERSON:
            return bool(wanted["required"] or not former["required"])
        case SettingKind.TAX_RATE:
            return bool(wanted["rate_bp"] == former.get("rate_bp"))
        case SettingKind.LEDGER_PERIOD:
            return False


def contains_iban(words: object) -> bool:
    """Say whether an IBAN with right check digits stands in a text, or in one of several, however it is spaced."""
    if isinstance(words, Mapping):
        return any(map(contains_iban, words.values()))
    if isinstance(words, list):
        return any(map(contains_iban, words)) or contains_iban("".join(map(str, words)))
    letters = re.sub("[^A-Z0-9]", "", unicodedata.normalize("NFKC", str(words or "")).upper())
    starts = [match.start() for match in re.finditer("(?=[A-Z]{2}[0-9]{2})", letters)]
    numbers = (letters[start : start + IBAN_LENGTHS.get(letters[start : start + 2], 0)] for start in starts)
    return any(len(number) == IBAN_LENGTHS.get(number[:2]) and has_valid_check_digits(number) for number in numbers)
