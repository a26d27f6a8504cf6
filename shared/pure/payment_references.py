"""Check digits: of the reference that a payment carries (ISO 11649) and of bank accounts (ISO 13616).

Both are ISO 7064 MOD 97-10: letters count from 10, the first four characters go to the end, and the number that
this gives leaves 1 when it is divided by 97.
"""

import re

MOST = 21
"""Characters of a reference after `RF` and its check digits."""


def _number(text: str) -> int:
    return int("".join(str(int(character, 36)) for character in text))


def build_creditor_reference(number: str) -> str | None:
    """The structured reference of an invoice's number; None for a number that is too long to be one."""
    plain = re.sub("[^A-Z0-9]", "", number.upper())
    if not 0 < len(plain) <= MOST:
        return None
    return f"RF{98 - _number(f'{plain}RF00') % 97:02d}{plain}"


def has_valid_check_digits(text: str) -> bool:
    """Whether the check digits of an IBAN or of a structured reference are right."""
    return bool(re.fullmatch("[A-Z]{2}[0-9]{2}[A-Z0-9]+", text)) and _number(text[4:] + text[:4]) % 97 == 1


def group_by_four(text: str) -> str:
    """In groups of four, as it is written on paper."""
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))
