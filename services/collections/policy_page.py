"""The page that says how payments are collected, in the customer's language."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from babel import Locale
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from services.collections.domain.policy import Policy
from services.collections.domain.policy_step import PolicyStep
from services.collections.tables import PolicyVersionRow
from shared.base.locale_texts import LocaleTexts
from shared.pure.languages import LANGUAGES

FOLDER = Path(__file__).parent / "templates"
WORDS = FOLDER / "page_words"
TEMPLATES = Environment(
    loader=FileSystemLoader(FOLDER),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    autoescape=True,
)


class PolicyPageStep(NamedTuple):
    """A step of the policy, written out."""

    action: str
    timing: str
    at: str
    effect: str
    notes: tuple[str, ...]


def choose_page_language(languages: Sequence[str]) -> str:
    """Choose the first of these languages that customers can be written to in, else English."""
    return next((language for language in languages if language in LANGUAGES), "en")


def list_policy_page_steps(policy: Policy, language: str) -> list[PolicyPageStep]:
    """List the steps of a policy, written out."""
    texts = LocaleTexts(WORDS, Locale(language))
    return [
        PolicyPageStep(
            step.kind.name,
            _write_day(step.day, texts),
            texts("at", time=f"{step.at:%H:%M}"),
            _write_action(step, texts),
            tuple(_list_notes(policy, step, texts)),
        )
        for step in policy.steps
    ]


def list_policy_page_rules(policy: Policy, language: str) -> list[str]:
    """List what holds beside the steps, written out."""
    texts = LocaleTexts(WORDS, Locale(language))
    optional: Mapping[str, bool] = {
        "held": True,
        "after_release": policy.after_release_days > 0,
        "renewed": any(step.requires for step in policy.steps),
        "bank": policy.bank_data_hours is not None,
        "given_back": True,
        "dispute": True,
        "dispute_window": policy.dispute_window_days is not None,
    }
    days = {"after_release": policy.after_release_days, "dispute_window": policy.dispute_window_days or 0}
    return [
        texts(name, hours=policy.bank_data_hours, days=_count_days(days.get(name, 0), texts))
        for name, is_stated in optional.items()
        if is_stated
    ]


def _count_days(days: int, texts: LocaleTexts) -> str:
    return texts("day") if days == 1 else texts("days", days=days)


def _write_day(day: int, texts: LocaleTexts) -> str:
    if day == 0:
        return texts("on_due")
    return texts("before_due" if day < 0 else "after_due", days=_count_days(abs(day), texts))


def _write_action(step: PolicyStep, texts: LocaleTexts) -> str:
    return texts(step.template or step.kind.name)


def _list_notes(policy: Policy, step: PolicyStep, texts: LocaleTexts) -> Iterator[str]:
    steps = {other.name: other for other in policy.steps}
    for required in step.requires:
        notice = texts(f"name_{steps[required.notice].template}")
        yield texts("required", days=_count_days(required.days_before, texts), notice=notice)
    for note in step.kind.page_notes:
        yield texts(note)


def render_policy_page(
    row: PolicyVersionRow, policy: Policy, versions: Sequence[PolicyVersionRow], language: str
) -> str:
    """Render the page of a version; `versions` are all that there are."""
    texts = LocaleTexts(WORDS, Locale(language))
    return TEMPLATES.get_template("policy.html").render(
        row=row,
        texts=texts,
        language=language,
        languages=[other for other in LANGUAGES if other != language],
        steps=list_policy_page_steps(policy, language),
        rules=list_policy_page_rules(policy, language),
        versions=versions,
    )


def render_missing_policy_page(version: int | None, versions: Sequence[PolicyVersionRow]) -> str:
    """Render the page in the place of a version that there is not."""
    return TEMPLATES.get_template("policy_missing.html").render(version=version, versions=versions)
