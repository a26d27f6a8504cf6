"""E-mail addresses that a letter can be written to: the syntax of RFC 5321 and 5322, and nothing looked up.

The next mail hop is not asked for SMTPUTF8 (RFC 6531), which not every one has. So a domain of other scripts is kept
in its ASCII form (IDNA 2008, `xn--…`), which every hop takes, and a part before the @ outside ASCII is refused: it
has no such form. Quoted parts, comments, display names and IP literals are refused too.
"""

from email_validator import EmailNotValidError, validate_email


class MailAddressRefused(ValueError):
    """The text is no address that a letter can be written to; the message says why."""


def parse_mail_address(text: str) -> str:
    """Parse an address, and give its ASCII form with the domain in small letters. Raises MailAddressRefused."""
    try:
        address = validate_email(text, check_deliverability=False, allow_smtputf8=False, strict=True)
    except EmailNotValidError as error:
        raise MailAddressRefused(f"no e-mail address that can be written to: {error}") from None
    if address.ascii_email is None:
        raise MailAddressRefused("no e-mail address that can be written to: it has no form in ASCII")
    return address.ascii_email


def is_mail_address(text: str) -> bool:
    """Say whether a letter can be written to it."""
    try:
        parse_mail_address(text)
    except MailAddressRefused:
        return False
    return True
