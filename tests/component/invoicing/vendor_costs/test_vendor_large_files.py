"""Files of many lines: by the route in memory that does not grow with them, and by the command."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deploy.local.tokens import ISSUER, SigningKeyPair
from tests.architecture.source import ROOT
from tests.builders import Database, running
from tests.vendor_files import BilledLine, World, as_csv, as_json_lines, expect, vendor_invoice, world

GROWTH = 1.15
"""What ten times as many lines may add to the peak of memory: noise, and no copy of the file (22 MB as CSV)."""


@pytest.fixture
async def here(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[World]:
    async with running("invoicing", database, keys, jwks_file) as (_, client):
        yield await world(client, database)


async def run(*arguments: str, **environment: str) -> tuple[int, str]:
    """A Python process of ours: its exit code, and what it says."""
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        *arguments,
        cwd=ROOT,
        env=os.environ | environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await child.communicate()
    assert child.returncode is not None
    return child.returncode, said.decode()


@pytest.mark.parametrize("packed", ["plain", "packed"])
async def test_memory_does_not_grow_with_the_file(
    here: World, keys: SigningKeyPair, jwks_file: Path, packed: str
) -> None:
    peaks = {}
    for lines in (20_000, 200_000):
        body = vendor_invoice(lines * 10080)
        invoice_id = (await here.client.create("/v1/vendor-invoices", body))["id"]
        url, token = here.database.url("invoicing"), keys.token("invoicing")
        code, said = await run(
            "tests.component.vendor_child", url, str(jwks_file), token, invoice_id, str(lines), packed
        )
        assert code == 0, said
        status, taken, peak = said.split()
        assert (status, taken) == ("201", str(lines))
        peaks[lines] = int(peak)
    assert peaks[200_000] < peaks[20_000] * GROWTH, peaks


async def command(here: World, jwks_file: Path, file: Path, *more: str) -> tuple[int, str]:
    """The command, as people start it."""
    return await run(
        "services.invoicing.reconcile",
        str(file),
        *("--actor", "j.meier", *more),
        GOODSTANDING_DATABASE_URL=here.database.url("invoicing"),
        GOODSTANDING_CLOCK="sandbox",
        GOODSTANDING_JWKS_FILE=str(jwks_file),
        GOODSTANDING_ISSUER=ISSUER,
    )


async def test_the_command_does_what_the_route_does(here: World, jwks_file: Path, tmp_path: Path) -> None:
    await expect(here.database, [here.charge()])
    lines = [BilledLine(), BilledLine("vendor-9")]
    invoice_id = await here.record_invoice(lines, number="G-1")
    file, other, broken = tmp_path / "march.csv", tmp_path / "march.jsonl.gz", tmp_path / "broken.jsonl"
    file.write_bytes(as_csv(lines))
    other.write_bytes(as_json_lines(lines, packed=True))
    broken.write_bytes(as_json_lines([BilledLine(), BilledLine(currency="USD")]))
    code, said = await command(here, jwks_file, broken, "--invoice", "G-1")
    assert (code, "line.2.Currency: 'USD' is not EUR" in said) == (1, True), said
    code, said = await command(here, jwks_file, file, "--invoice", "G-1")
    assert (code, said.startswith("differences: 2 lines in ")) == (0, True), said
    reconciliation = await here.client.got(f"/v1/vendor-invoices/{invoice_id}/reconciliation")
    assert (reconciliation["status"], reconciliation["reconciled_by"], reconciliation["layout"]) == (
        "differences",
        "j.meier",
        "csv",
    )
    code, said = await command(here, jwks_file, file, "--invoice", "G-1")
    assert (code, "(before)" in said) == (0, True), said
    code, said = await command(here, jwks_file, other, "--invoice", "G-1")
    assert (code, "has another file" in said) == (1, True), said
    code, said = await command(here, jwks_file, other, "--invoice", "G-1", "--replace", "the vendor sent it anew")
    assert code == 0, said
    reconciliation = await here.client.got(f"/v1/vendor-invoices/{invoice_id}/reconciliation")
    assert reconciliation["layout"] == "jsonl"
    entries = await here.database.rows(
        "SELECT action, personal ->> 'reason' AS reason FROM invoicing.audit_entries WHERE actor = 'j.meier'"
        " ORDER BY id"
    )
    taken = "vendor_reconciliation.take"
    assert [tuple(row) for row in entries] == [(taken, None), (taken, "the vendor sent it anew")]
    code, said = await command(here, jwks_file, file, "--invoice", "G-2")
    assert (code, said.strip()) == (1, "there is no vendor invoice G-2")
    code, said = await command(here, jwks_file, jwks_file, "--invoice", "G-1")
    assert code == 2, said
