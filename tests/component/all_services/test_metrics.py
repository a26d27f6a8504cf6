"""Figures for Prometheus: as worked out by hand, reported by one process only, on a port of its own."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families

from deploy.local.ports import find_free_port
from deploy.local.tokens import SigningKeyPair
from shared.base.backbone_figures import FIGURES
from shared.base.metrics.backbone import BEHIND_SINCE, LAG, ConsumerLag
from shared.base.metrics.figures import MetricQuery, ServiceMetricQueries
from shared.base.metrics.serving import serving_metrics
from shared.process.service import NAMES, load_service
from tests.builders import START, Database, account, eur, invoice, running, settings_for
from tests.component.invoicing.adjustments.test_relief import limit

Samples = dict[tuple[str, ...], float]
LATER = datetime(2026, 4, 20, 12, tzinfo=UTC)


def list_samples(figures: ServiceMetricQueries) -> Samples:
    """Every sample by its name and the values of its labels."""
    return {
        (sample.name, *(sample.labels[label] for label in sorted(sample.labels))): sample.value
        for metric in figures.collect()
        for sample in metric.samples
    }


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110  # another task brings it about
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("service", NAMES)
async def test_every_figure_can_be_read_with_the_rights_of_its_service(
    service: str, database: Database, jwks_file: Path
) -> None:
    async with database.connected(service) as connection:
        for figure in (*FIGURES, *load_service(service).figures):
            prepared = await connection.prepare(figure.query)
            names = {name.removeprefix("goodstanding_") for name in figure.values}
            assert {attribute.name for attribute in prepared.get_attributes()} == names | set(figure.labels)
            await connection.fetch(figure.query, START)


def test_money_has_a_currency_and_nothing_names_an_account() -> None:
    figures = [figure for name in NAMES for figure in load_service(name).figures]
    assert figures
    for figure in (*figures, *FIGURES):
        assert ("currency" in figure.labels) or not any(name.endswith("_minor") for name in figure.values)
        assert not {"account_id", "account", "subject", "subscription_id"} & set(figure.labels)


async def test_receivables_and_collection_are_as_worked_out_by_hand(
    database: Database, keys: SigningKeyPair, jwks_file: Path
) -> None:
    async with running("invoicing", database, keys, jwks_file) as (runtime, client):
        owner = (await client.create("/v1/accounts", account()))["id"]
        late = await client.create("/v1/invoices", invoice(owner, 3000, due_date="2026-03-10"))
        disputed = await client.create("/v1/invoices", invoice(owner, 2000, 500, due_date="2026-04-20"))
        await client.create("/v1/invoices", invoice(owner, 1000, due_date="2026-06-30"))
        other = (await client.create("/v1/accounts", account(external_reference="other")))["id"]
        await client.create("/v1/payments", {"account_id": other, "amount": eur(4000)})
        reserve = "UPDATE invoicing.line_balances SET reserved_minor = 700 WHERE invoice_id = $1::uuid AND line = 1"
        await database.execute(reserve, disputed["id"])
        await database.move(datetime(2026, 4, 1, 9, tzinfo=UTC))
        part = {"account_id": owner, "amount": eur(1500), "invoice_id": late["id"]}
        await client.create("/v1/payments", part)
        await database.move(LATER)
        figures = runtime.jobs.figures
        async with database.connected("invoicing") as connection:
            await figures.read_metric_values(connection)
    samples = list_samples(figures)
    owed = {key[1:]: value for key, value in samples.items() if key[0] == "goodstanding_receivables_minor" and value}
    # bucket, currency, disputed: 41 days late; due today (not late yet) and in June; 700 of that in dispute
    assert owed == {("31-60", "EUR", "no"): 1500, ("current", "EUR", "no"): 2800, ("current", "EUR", "yes"): 700}
    assert samples["goodstanding_unapplied_cash_minor", "EUR"] == 4000
    assert samples["goodstanding_ledger_imbalance_minor", "EUR", "GS-DE"] == 0
    assert samples["goodstanding_ledger_receivables_minor", "EUR", "GS-DE"] == 5000
    # 5000 are open of 6500 that were invoiced within 90 days; 6500 were open 30 days ago, 3500 are not due yet
    assert samples["goodstanding_dso_days", "EUR"] == pytest.approx(90 * 5000 / 6500)
    assert samples["goodstanding_collection_effectiveness_ratio", "EUR"] == pytest.approx((6500 - 5000) / (6500 - 3500))
    day = datetime(2026, 4, 20, tzinfo=UTC).timestamp()
    assert samples["goodstanding_collection_figures_day_timestamp_seconds", "EUR"] == day
    assert samples[("goodstanding_business_timestamp_seconds",)] == LATER.timestamp()


async def test_what_waits_for_a_second_person_and_what_is_in_flight(
    database: Database, keys: SigningKeyPair, jwks_file: Path
) -> None:
    """Two refunds are proposed and one of them is declined; a debit of 1500 is settled, another of 700 is not."""
    async with running("invoicing", database, keys, jwks_file) as (runtime, client):
        owner = (await client.create("/v1/accounts", account()))["id"]
        await client.create("/v1/payments", {"account_id": owner, "amount": eur(900)})
        body = {"account_id": owner, "reason_code": "overpayment", "reason": "by letter"}
        asked = [await client.create("/v1/refunds", body | {"amount": eur(amount)}) for amount in (400, 300)]
        await limit(client, 5000)
        declines = f"/v1/approvals/{asked[0]['id']}:decline"
        await client.somebody(roles="operator").create(declines, {"reason": "there is an invoice"})
        other = (await client.create("/v1/accounts", account(external_reference="other")))["id"]
        issued = [await client.create("/v1/invoices", invoice(other, amount)) for amount in (1500, 700)]
        sent = [
            await client.create("/v1/debits", {"invoice_id": invoice["id"], "reference": invoice["id"]})
            for invoice in issued
        ]
        await client.create(f"/v1/debits/{sent[0]['id']}:settle", {})
        figures = runtime.jobs.figures
        async with database.connected("invoicing") as connection:
            await figures.read_metric_values(connection)
            samples = list_samples(figures)
            proposed = {key[1]: value for key, value in samples.items() if key[0] == "goodstanding_approvals_proposed"}
            assert proposed == {"refund": 1, "credit_note": 0, "write_off": 0}
            assert samples["goodstanding_debits_in_flight_minor", "EUR"] == 700
            await client.create(f"/v1/debits/{sent[1]['id']}:fail", {"failure": "AC04"})
            await figures.read_metric_values(connection)
    assert list_samples(figures)["goodstanding_debits_in_flight_minor", "EUR"] == 0


async def test_of_two_processes_one_tells_and_the_other_takes_over(
    database: Database, jwks_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.base.metrics.figures.STAND_BY", 0.05)
    settings = settings_for("collections", database, jwks_file, metrics_port=1, metrics_interval=0.05)
    leader, stand_by = (ServiceMetricQueries("collections", FIGURES, settings) for _ in range(2))
    first = asyncio.create_task(leader.run())
    await until(lambda: bool(list_samples(leader)))
    second = asyncio.create_task(stand_by.run())
    await asyncio.sleep(0.3)
    assert list_samples(stand_by) == {}
    first.cancel()
    await until(lambda: bool(list_samples(stand_by)))
    assert list_samples(leader) == {}
    second.cancel()
    await asyncio.gather(first, second, return_exceptions=True)


async def test_figures_are_read_once_the_sandboxs_clock_is_set(database: Database, jwks_file: Path) -> None:
    await database.execute("DELETE FROM clock.clock")
    daily = MetricQuery("SELECT extract(epoch FROM $1::timestamptz) AS a", {"goodstanding_a": "A."}, daily=True)
    settings = settings_for("collections", database, jwks_file, metrics_port=1, metrics_interval=0.05)
    figures = ServiceMetricQueries("collections", (daily,), settings)
    reading = asyncio.create_task(figures.run())
    await asyncio.wait([reading], timeout=0.2)
    assert list_samples(figures) == {}
    await database.install_clock()
    await until(lambda: list_samples(figures).get(("goodstanding_a",)) == START.timestamp() or reading.done())
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading


async def test_a_figure_that_breaks_leaves_the_others(database: Database, jwks_file: Path) -> None:
    good = MetricQuery("SELECT 7 AS a WHERE $1::timestamptz IS NOT NULL", {"goodstanding_a": "A."})
    bad = MetricQuery("SELECT 1 / 0 AS b WHERE $1::timestamptz IS NOT NULL", {"goodstanding_b": "B."})
    figures = ServiceMetricQueries("collections", (bad, good), settings_for("collections", database, jwks_file))
    async with database.connected("collections") as connection:
        await figures.read_metric_values(connection)
    assert list_samples(figures)["goodstanding_a",] == 7
    assert ("goodstanding_b",) not in list_samples(figures)


async def test_a_figure_of_the_day_is_read_once_a_day(database: Database, jwks_file: Path) -> None:
    daily = MetricQuery("SELECT extract(epoch FROM $1::timestamptz) AS a", {"goodstanding_a": "A."}, daily=True)
    figures = ServiceMetricQueries("collections", (daily,), settings_for("collections", database, jwks_file))
    async with database.connected("collections") as connection:
        for hours, expected in ((0, START), (5, START), (24, None)):
            now = await database.move(hours=hours)
            await figures.read_metric_values(connection)
            assert list_samples(figures)["goodstanding_a",] == (expected or now).timestamp()


async def test_requests_are_counted_by_route_and_served_on_a_port_of_their_own(
    database: Database, keys: SigningKeyPair, jwks_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    port = find_free_port()
    async with running("invoicing", database, keys, jwks_file, metrics_port=port) as (runtime, client):
        owner = (await client.create("/v1/accounts", account(name="Peregrina")))["id"]
        capsys.readouterr()
        async with serving_metrics(runtime.settings):
            before = await scrape_request_count(port, "/v1/accounts/{account_id}")
            await client.got(f"/v1/accounts/{owner}")
            after = await scrape_request_count(port, "/v1/accounts/{account_id}")
    assert after - before == 1
    said = capsys.readouterr().out
    assert f"account='{owner}'" in said
    assert "route='/v1/accounts/{account_id}'" in said
    assert "Peregrina" not in said


async def scrape_request_count(port: int, route: str) -> float:
    async with httpx2.AsyncClient() as http:
        text = (await http.get(f"http://127.0.0.1:{port}/metrics")).text
    return sum(
        sample.value
        for metric in text_string_to_metric_families(text)
        for sample in metric.samples
        if sample.name == "goodstanding_http_requests_total" and sample.labels["route"] == route
    )


def test_lag_says_since_when_and_forgets_what_others_read() -> None:
    lag, since = ConsumerLag(), BEHIND_SINCE.labels("t", "0")._value
    lag.record_positions([("t", 0, 5, 5)])
    assert (LAG.labels("t", "0")._value.get(), since.get()) == (0, 0)
    lag.record_positions([("t", 0, 5, 9)])
    began = since.get()
    assert LAG.labels("t", "0")._value.get() == 4
    lag.record_positions([("t", 0, 6, 9)])
    assert since.get() == began > 0
    lag.record_last_applied_time("t", 0, began + 100)
    lag.record_positions([("t", 0, 7, 9)])
    assert since.get() == began + 100
    lag.record_positions([])
    assert [sample for metric in LAG.collect() for sample in metric.samples if sample.labels["topic"] == "t"] == []


async def test_without_a_port_nothing_is_read(database: Database, jwks_file: Path) -> None:
    figures = ServiceMetricQueries("collections", FIGURES, settings_for("collections", database, jwks_file))
    await asyncio.wait_for(figures.run(), 1)
    assert list_samples(figures) == {}
