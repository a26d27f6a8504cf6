"""The code with which a bank refuses a direct debit."""

import re

_CODE = re.compile(r"\s*([A-Z]{2}[0-9]{2})\b")


def parse_debit_failure_code(failure: str) -> str:
    """Read the code of ISO 20022 (ExternalStatusReason, such as AC04) that a text begins with; else `other`."""
    code = _CODE.match(failure)
    return code[1] if code else "other"
