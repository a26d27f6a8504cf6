"""Changes of settings that move money: which there are, and which of them nobody else has to agree to."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

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


def is_harmless(kind: SettingKind, former: Values, wanted: Values) -> bool:
    """Say whether nobody gets more by a change, so that it needs no second person: it lowers, or changes nothing."""
    match kind:
        case SettingKind.LEGAL_ENTITY:
            return all(wanted.get(name) == former.get(name) for name in GUARDED_FIELDS)
        case SettingKind.APPROVAL_LIMIT | SettingKind.TOLERANCE:
            return bool(wanted["amount_minor"] <= former.get("amount_minor", 0))
        case SettingKind.SECOND_PERSON:
            return bool(wanted["required"] or not former["required"])
        case SettingKind.TAX_RATE:
            return bool(wanted["rate_bp"] == former.get("rate_bp"))
        case SettingKind.LEDGER_PERIOD:
            return False
