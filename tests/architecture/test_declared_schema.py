"""Code and schema say the same where both have to: values that a check allows, expressions that an index answers."""

import re
from collections.abc import Collection
from typing import get_args

import pytest

from services.invoicing.bank.tables import NORMAL_NAME, NORMAL_NUMBER
from services.invoicing.vendor_costs.domain.line_verdicts import Verdict
from shared.events.entitlements import HoldReason
from shared.pure.languages import LANGUAGES
from tests.architecture.source import ROOT


def read_schema(service: str) -> str:
    """Read the schema that the migrations of a service make; the golden tests hold it to them."""
    return (ROOT / "services" / service / "schema.sql").read_text()


def list_checked_values(schema: str, table: str, column: str) -> set[str]:
    """List the values that a check allows a column to have."""
    (body,) = re.findall(rf"^CREATE TABLE {table} \($(.*?)^\);$", schema, re.MULTILINE | re.DOTALL)
    (values,) = re.findall(rf"CHECK \(\({column} = ANY \(ARRAY\[(.*)\]\)\)\)", body)
    return set(re.findall(r"'([^']*)'::text", values))


def find_index_expression(schema: str, index: str) -> str:
    """Find what an index is built on, without the casts and breaks of lines that Postgres writes."""
    (expression,) = re.findall(
        rf"^CREATE INDEX {index} ON \S+ USING btree \((.*?)\)(?: WHERE [^;]*)?;$", schema, re.MULTILINE | re.DOTALL
    )
    assert isinstance(expression, str)
    joined = re.sub(r"\s*\n\s*", " ", expression)
    return joined.replace("lower( ", "lower(").replace("::text", "")


@pytest.mark.parametrize(
    ("service", "table", "column", "values"),
    [
        ("entitlements", "holds", "reason", get_args(HoldReason)),
        ("escalation", "support_resources", "language", LANGUAGES),
        ("escalation", "support_statements", "language", LANGUAGES),
        ("invoicing", "reconciliation_lines", "verdict", Verdict),
        ("invoicing", "reconciliation_sums", "verdict", Verdict),
        ("invoicing", "vendor_differences", "verdict", Verdict),
    ],
)
def test_the_database_allows_the_values_of_the_code(
    service: str, table: str, column: str, values: Collection[str]
) -> None:
    assert list_checked_values(read_schema(service), f"{service}.{table}", column) == {str(value) for value in values}


@pytest.mark.parametrize(
    ("index", "expression"),
    [
        ("invoices_by_number", NORMAL_NUMBER.format("number")),
        ("invoices_by_reference", NORMAL_NUMBER.format("external_reference")),
        ("debits_by_reference", NORMAL_NUMBER.format("reference")),
        ("accounts_by_plain_name", NORMAL_NAME.format("name")),
    ],
    ids=["invoices_by_number", "invoices_by_reference", "debits_by_reference", "accounts_by_plain_name"],
)
def test_candidates_are_looked_up_by_an_index(index: str, expression: str) -> None:
    assert find_index_expression(read_schema("invoicing"), index) == expression
