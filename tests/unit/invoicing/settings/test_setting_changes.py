"""Changes of settings that nobody else has to agree to."""

from typing import Any

import pytest

from services.invoicing.settings.domain.setting_change import GUARDED_FIELDS, SettingKind, is_setting_change_harmless

ENTITY = dict.fromkeys(GUARDED_FIELDS, "before") | {"name": "Reseller GmbH", "version": 3}


@pytest.mark.parametrize("kind", [SettingKind.APPROVAL_LIMIT, SettingKind.TOLERANCE])
@pytest.mark.parametrize(
    ("former", "amount_minor", "harmless"),
    [({}, 0, True), ({}, 1, False), ({"amount_minor": 5}, 4, True), ({"amount_minor": 5}, 6, False)],
)
def test_an_amount_is_lowered_or_raised(kind: SettingKind, former: Any, amount_minor: int, harmless: bool) -> None:
    assert is_setting_change_harmless(kind, former, {"amount_minor": amount_minor}) is harmless


@pytest.mark.parametrize(
    ("former", "required", "harmless"), [(True, True, True), (True, False, False), (False, False, True)]
)
def test_requiring_a_second_person_needs_none(former: bool, required: bool, harmless: bool) -> None:
    assert (
        is_setting_change_harmless(SettingKind.SECOND_PERSON, {"required": former}, {"required": required}) is harmless
    )


@pytest.mark.parametrize("field", GUARDED_FIELDS)
def test_each_guarded_field_needs_one(field: str) -> None:
    assert is_setting_change_harmless(SettingKind.LEGAL_ENTITY, ENTITY, ENTITY | {"name": "Reseller AG"})
    assert not is_setting_change_harmless(SettingKind.LEGAL_ENTITY, ENTITY, ENTITY | {field: "after"})
    assert not is_setting_change_harmless(SettingKind.LEGAL_ENTITY, {}, ENTITY)


def test_rates_go_neither_up_nor_down_alone_and_no_month_closes_alone() -> None:
    for rate_bp in (1800, 2000):
        assert not is_setting_change_harmless(SettingKind.TAX_RATE, {"rate_bp": 1900}, {"rate_bp": rate_bp})
    assert is_setting_change_harmless(SettingKind.TAX_RATE, {"rate_bp": 1900}, {"rate_bp": 1900})
    assert not is_setting_change_harmless(SettingKind.TAX_RATE, {}, {"rate_bp": 0})
    assert not is_setting_change_harmless(SettingKind.LEDGER_PERIOD, {"state": "open"}, {"state": "closed"})
