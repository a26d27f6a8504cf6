"""Languages in which customers are written to, and which texts for people are kept in.

Every folder of catalogues (`services/*/templates`, `services/invoicing/documents/templates`) has a file for each.
"""

from typing import Literal, get_args

Language = Literal["en", "de", "fr", "ru"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
LOCALE_PATTERN = f"^({'|'.join(LANGUAGES)})(-[A-Z]{{2}})?$"
"""A language, or a locale of it such as `de-CH`, by which numbers and dates are written."""
