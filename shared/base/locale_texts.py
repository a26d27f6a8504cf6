"""Words, numbers and dates of a language, from catalogues that a person can read and edit."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path

import yaml
from babel import Locale, UnknownLocaleError
from babel.dates import format_date

from shared.pure.languages import LANGUAGES
from shared.pure.money import format_minor_units


@lru_cache
def read_text_catalogue(folder: Path, language: str) -> dict[str, str]:
    """Read the texts of a language by their keys."""
    texts: dict[str, str] = yaml.safe_load((folder / f"{language}.yaml").read_text())
    return texts


def choose_locale(*tags: str | None) -> Locale:
    """Choose the first of these tags (such as `de-CH`) in whose language customers can be written to, else English."""
    for tag in tags:
        try:
            locale = Locale.parse(tag, sep="-") if tag else None
        except (UnknownLocaleError, ValueError):
            continue
        if locale and locale.language in LANGUAGES:
            return locale
    return Locale("en")


@dataclass(frozen=True)
class LocaleTexts:
    """Texts of a folder of catalogues in the language of a locale, and the locale's way to write values."""

    folder: Path
    locale: Locale

    def __call__(self, key: str, **values: object) -> str:
        return read_text_catalogue(self.folder, self.locale.language)[key].format(**values)

    def __contains__(self, key: str) -> bool:
        return key in read_text_catalogue(self.folder, self.locale.language)

    def write_money(self, minor: int, currency: str) -> str:
        """Write an amount of minor units with all decimals of its currency."""
        return format_minor_units(minor, currency, self.locale)

    def write_day(self, day: date) -> str:
        """Write a date."""
        return format_date(day, "medium", locale=self.locale)

    def write_period(self, begin: date, end: date) -> str:
        """Write the days from `begin` up to, not including, `end`."""
        last = end - timedelta(days=1)
        return self.write_day(begin) if last <= begin else f"{self.write_day(begin)} – {self.write_day(last)}"
