"""One row that breaks in any sweep of any service: the others are judged, and it waits for a person.

The fault is the database's: a trigger refuses whatever is written about one subject.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from deploy.local.tokens import SigningKeyPair
from shared.events.invoicing.calendars import SUBJECT_PREFIX
from shared.process.runtime import Runtime
from shared.process.service import NAMES, load_service
from tests.builders import (
    Client,
    Database,
    account,
    build_activated,
    build_registered,
    charged_back,
    end_subscription,
    hear,
    invoice,
    running,
    sweep,
)
from tests.component.bank_statements import Paid, build_camt_statement, import_statement
from tests.component.billing_world import Billing
from tests.component.calendar_requests import build_calendar, put_calendar
from tests.component.collections.test_collections import STANDARD, Hop, Invoicing, World, publish
from tests.component.vendor_support import CHANNEL
from tests.vendor_files import vendor_invoice

LATER = datetime(2027, 6, 1, 9, tzinfo=UTC)
"""When all that is prepared is due."""
UNTOUCHED = ("streams", "outbox", "idempotency", "audit_entries", "failed_work", "stopped_work", "alembic_version")
REFUSE = """
CREATE FUNCTION {service}.refuse_one() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF coalesce(to_jsonb(NEW), to_jsonb(OLD))::text LIKE '%{subject}%' THEN
        RAISE numeric_value_out_of_range USING MESSAGE = 'told of {subject}';
    END IF;
    RETURN coalesce(NEW, OLD);
END $$
"""
TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = $1 AND tablename <> ALL($2)"


@dataclass
class Place:
    """One service, and what a test asks of it."""

    service: str
    runtime: Runtime
    client: Client
    database: Database

    async def count_due(self, sweep_name: str) -> int:
        """How many rows are pending for a sweep."""
        query = f"SELECT count(*) FROM {self.service}.pending_work WHERE kind = 'due' AND name = $1 AND due_at <= $2"
        return int(await self.database.value(query, sweep_name, self.database.now))

    async def refuse(self, subject: str) -> None:
        """Let every write about a subject break from now on."""
        await self.database.execute(REFUSE.format(service=self.service, subject=subject))
        for row in await self.database.rows(TABLES, self.service, list(UNTOUCHED)):
            await self.database.execute(
                f"CREATE TRIGGER refuse_one BEFORE INSERT OR UPDATE OR DELETE ON {self.service}.{row['tablename']}"
                f" FOR EACH ROW EXECUTE FUNCTION {self.service}.refuse_one()"
            )

    async def mend(self) -> None:
        """Let all be written again."""
        await self.database.execute(f"DROP FUNCTION {self.service}.refuse_one() CASCADE")


async def owe(place: Place) -> list[str]:
    """Two accounts with an invoice each, which become overdue."""
    owners = [str((await place.client.create("/v1/accounts", account()))["id"]) for _ in range(2)]
    for owner in owners:
        await place.client.create("/v1/invoices", invoice(owner, 1000))
    await place.database.move(LATER)
    return owners


async def renew(place: Place) -> list[str]:
    """Two accounts with a subscription each, whose terms end."""
    billing = Billing(place.runtime, place.client, place.database)
    plan = await billing.plan()
    owners = [await billing.account() for _ in range(2)]
    for owner in owners:
        await billing.buy(plan, owner)
    await place.database.move(LATER)
    return owners


async def bill(place: Place) -> list[str]:
    """Two accounts that a run bills."""
    owners = await renew(place)
    await place.client.create("/v1/bill-runs", {"run_date": str(place.database.now.date()), "at_once": True})
    return owners


async def finish(place: Place) -> list[str]:
    """Two runs that bill nobody."""
    runs = [
        await place.client.create("/v1/bill-runs", {"run_date": f"2026-03-0{day}", "at_once": True}) for day in (1, 2)
    ]
    return [str(run["id"]) for run in runs]


async def match(place: Place) -> list[str]:
    """Two accounts whose payments are on a statement."""
    owners = [str((await place.client.create("/v1/accounts", account()))["id"]) for _ in range(2)]
    issued = [await place.client.create("/v1/invoices", invoice(owner, 1000 + n)) for n, owner in enumerate(owners)]
    await import_statement(
        place.client, build_camt_statement([Paid(document["number"], 1000 + n) for n, document in enumerate(issued)])
    )
    return owners


async def owe_vendor(place: Place) -> list[str]:
    """Two invoices of the vendor that are to be paid."""
    made = [await place.client.create("/v1/vendor-invoices", vendor_invoice()) for _ in range(2)]
    await place.database.move(LATER)
    return [str(document["id"]) for document in made]


async def keep_backlog(place: Place) -> list[str]:
    """Two invoices of the vendor that were not posted."""
    ids = await owe_vendor(place)
    await place.database.execute("UPDATE invoicing.vendor_invoices SET post_at = received_at, warn_at = NULL")
    return ids


async def keep_calendars(place: Place) -> list[str]:
    """Two calendars that are to be announced for another year."""
    for code in ("GS-DE", "GS-FR"):
        assert (await put_calendar(place.client, build_calendar(), code)).status_code == 200
    await place.database.move(LATER)
    return ["calendar:GS-DE", "calendar:GS-FR"]


async def dun(place: Place) -> list[str]:
    """Two accounts with an invoice each, of which they are reminded."""
    await publish(place.client, STANDARD)
    worlds = [World(place.runtime, place.client, place.database, Hop(), Invoicing()) for _ in range(2)]
    for world in worlds:
        await world.hear(build_registered(world.account_id, terms_days=8))
        await world.issue()
    await place.database.move(datetime(2026, 3, 8, 9, tzinfo=UTC))
    return [str(world.account_id) for world in worlds]


async def end(place: Place) -> list[str]:
    """Two accounts whose subscriptions end."""
    owners = [uuid4() for _ in range(2)]
    for owner in owners:
        subscription = uuid4()
        ended = end_subscription(owner, subscription, date(2026, 3, 5))
        for number, event in enumerate(
            (build_registered(owner), build_activated(owner, subscription, f"vendor-{subscription}"), ended), 1
        ):
            await hear(place.runtime, event, sequence=number)
    await place.database.move(LATER)
    return [str(owner) for owner in owners]


async def ask(place: Place) -> list[str]:
    """Two accounts with a question each, which nobody answers."""
    owners = [str(uuid4()) for _ in range(2)]
    for owner in owners:
        question = {"kind": "billing_question", "account_id": owner, "subject": "What is line 3?"}
        await place.client.create("/v1/cases", question)
    await place.database.move(LATER)
    return owners


async def move_calendars(place: Place) -> list[str]:
    """Two accounts of a legal entity whose calendar counts from now on."""
    owners = [uuid4() for _ in range(2)]
    for owner in owners:
        await hear(place.runtime, build_registered(owner))
    return [str(owner) for owner in owners]


async def hand_over(place: Place) -> list[str]:
    """Two accounts with a ticket at the vendor each."""
    owners = [uuid4() for _ in range(2)]
    put = place.client.http.put("/v1/vendor-channels/GS-DE", json=CHANNEL, headers=place.client.headers)
    assert (await put).status_code == 200
    for number, owner in enumerate(owners, 1):
        await hear(place.runtime, build_registered(owner))
        case = await place.client.create("/v1/cases", {"kind": "fraud", "account_id": str(owner), "subject": "theft"})
        ticket = {"title": "theft", "description": "seats that nobody ordered"}
        made = await place.client.create(f"/v1/cases/{case['id']}/vendor-tickets", ticket)
        await place.client.create(f"/v1/vendor-tickets/{made['id']}:submit", {"number": str(number)})
    return [str(owner) for owner in owners]


async def watch_health(place: Place) -> list[str]:
    """Two legal entities for which service health is looked at."""
    for code in ("GS-DE", "GS-FR"):
        channel = CHANNEL | {"watches_health": True}
        put = place.client.http.put(f"/v1/vendor-channels/{code}", json=channel, headers=place.client.headers)
        assert (await put).status_code == 200
    watches = await place.database.rows("SELECT id FROM escalation.health_watches ORDER BY legal_entity")
    return [str(row["id"]) for row in watches]


async def fit_incident(place: Place) -> list[str]:
    """Two accounts with a case each that fits an incident of the vendor's."""
    owners, begin = [uuid4() for _ in range(2)], datetime(2026, 3, 1, tzinfo=UTC)
    case = {"kind": "technical", "severity": "B", "subject": "Mail is late", "product": "Mail"}
    for owner in owners:
        await hear(place.runtime, build_registered(owner))
        await place.client.create("/v1/cases", case | {"account_id": str(owner)})
    await place.database.rows(INCIDENT, begin)
    wanted = "INSERT INTO escalation.incident_accounts (account_id, due_at) SELECT unnest($1::uuid[]), $2"
    await place.database.rows(wanted, owners, begin)
    return [str(owner) for owner in owners]


INCIDENT = """
INSERT INTO escalation.incidents (reference, title, content, services, regions, status, seen_at)
VALUES ('EX1', 'Mail', 'late', '{Mail}', '{}', 'active', $1)
"""
PAUSED = """
WITH case_of AS (
    INSERT INTO escalation.cases (id, version, account_id, kind, state, state_since, subject, queue, opened_at,
        unread_answers)
    VALUES ($1, 1, $2, 'dispute', 'new', $4, 'billing dispute', 'billing', $4, 0) RETURNING id
)
INSERT INTO escalation.disputes (id, case_id, account_id, invoice_id, currency, lines, total_minor, state,
    requested_at, opened_at, paused_until)
SELECT $3, id, $2, $3, 'EUR',
    '[{"line": 1, "amount_minor": 1, "reason_code": "wrong_address"}]', 1, 'opened', $4, $4, $4
FROM case_of
"""


async def pause_invoices(place: Place) -> list[str]:
    """Two accounts whose invoices pause until their documents are right, which takes too long."""
    owners = [uuid4() for _ in range(2)]
    for owner in owners:
        await hear(place.runtime, build_registered(owner))
        await place.database.rows(PAUSED, uuid4(), owner, uuid4(), datetime(2026, 3, 1, tzinfo=UTC))
    await place.database.move(LATER)
    return [str(owner) for owner in owners]


async def draft_credits(place: Place) -> list[str]:
    """Two accounts with a service credit each, which nobody asks the vendor for."""
    owners = [str(uuid4()) for _ in range(2)]
    for owner in owners:
        draft = {
            "account_id": owner,
            "type_code": "duplicate_order",
            "counts_since": "2026-03-02",
            "currency": "EUR",
            "expected_minor": 100,
        }
        await place.client.create("/v1/service-credits", draft)
    await place.database.move(LATER)
    return owners


async def end_contracts(place: Place) -> list[str]:
    """Two premier contracts that end soon."""
    contract = {"kind": "premier_contract", "title": "Premier", "content": "calls back", "language": "en"}
    return [
        (await place.client.create("/v1/support-resources", contract | {"reference": name, "valid_to": "2026-03-09"}))[
            "id"
        ]
        for name in ("premier-1", "premier-2")
    ]


async def contest_invoices(place: Place) -> list[str]:
    """Two vendor invoices of which something is contested that the vendor is to answer soon."""
    invoices = [uuid4() for _ in range(2)]
    for vendor_invoice_id in invoices:
        case = await place.client.create("/v1/cases", {"kind": "task", "subject": "vendor dispute"})
        await place.database.rows(CONTESTED, UUID(case["id"]), vendor_invoice_id, datetime(2026, 3, 1, tzinfo=UTC))
        await place.database.rows(
            "INSERT INTO escalation.streams (subject, sequence) VALUES ($1, 0)", str(vendor_invoice_id)
        )
    return [str(vendor_invoice_id) for vendor_invoice_id in invoices]


CONTESTED = """
INSERT INTO escalation.vendor_disputes (id, case_id, vendor_invoice_id, vendor_invoice_number, legal_entity, currency,
    items, contested_minor, reason_code, reason, deadline, warn_at, state, opened_by, opened_at)
VALUES ($2, $1, $2, 'G1', 'GS-DE', 'EUR', '[]', 5, 'quantity', 'never ordered', $3::date, $3, 'open', 'support', $3)
"""


async def charge_back(place: Place) -> list[str]:
    """Two accounts with a chargeback each, which nobody answers."""
    owners = [uuid4() for _ in range(2)]
    for owner in owners:
        await hear(place.runtime, charged_back(owner))
    await place.database.move(LATER)
    return [str(owner) for owner in owners]


async def close_tasks(place: Place) -> list[str]:
    """Two accounts with a task each that was closed long ago."""
    owners = [str(uuid4()) for _ in range(2)]
    for owner in owners:
        task = await place.client.create("/v1/cases", {"kind": "task", "account_id": owner, "subject": "call them"})
        await place.client.create(f"/v1/cases/{task['id']}:resolve", {"outcome": "called", "reason": "called"})
        await place.client.create(f"/v1/cases/{task['id']}:close", {"reason": "called"})
    await place.database.move(days=1096)
    return owners


async def receive_mails(place: Place) -> list[str]:
    """Two mails of no case that came long ago."""
    mails = []
    for number in range(2):
        headers = place.client.headers | {"content-type": "message/rfc822", "idempotency-key": str(number)}
        answer = await place.client.http.post("/v1/inbound-mails", content=b"Subject: %d" % number, headers=headers)
        mails.append(str(answer.json()["id"]))
    await place.database.move(days=1096)
    return mails


async def receive_bounces(place: Place) -> list[str]:
    """Two bounces of other services' mails that were announced long ago."""
    bounce_ids = [str(uuid4()) for _ in range(2)]
    for bounce_id in bounce_ids:
        await place.database.rows(BOUNCED, bounce_id, place.database.now)
    await place.database.move(days=91)
    return bounce_ids


BOUNCED = """
WITH stream AS (INSERT INTO escalation.streams (subject, sequence) VALUES ($1, 0))
INSERT INTO escalation.other_bounces (bounce_id, code, received_at) VALUES ($1::text::uuid, '5.1.1', $2)
"""


PREPARED: dict[tuple[str, str], Callable[[Place], Awaitable[list[str]]]] = {
    ("invoicing", "overdue"): owe,
    ("invoicing", "terms"): renew,
    ("invoicing", "bill_runs"): bill,
    ("invoicing", "bank_entries"): match,
    ("invoicing", "finished_runs"): finish,
    ("invoicing", "vendor_payments"): owe_vendor,
    ("invoicing", "vendor_postings"): keep_backlog,
    ("invoicing", "calendars"): keep_calendars,
    ("collections", "steps"): dun,
    ("entitlements", "ends"): end,
    ("escalation", "clocks"): ask,
    ("escalation", "moved_calendars"): move_calendars,
    ("escalation", "vendor_tickets"): hand_over,
    ("escalation", "service_health"): watch_health,
    ("escalation", "incident_cases"): fit_incident,
    ("escalation", "paused_disputes"): pause_invoices,
    ("escalation", "service_credits"): draft_credits,
    ("escalation", "support_contracts"): end_contracts,
    ("escalation", "vendor_disputes"): contest_invoices,
    ("escalation", "chargebacks"): charge_back,
    ("escalation", "words_of_cases"): close_tasks,
    ("escalation", "mails_of_no_case"): receive_mails,
    ("escalation", "old_bounces"): receive_bounces,
}


def test_every_sweep_is_tried() -> None:
    assert set(PREPARED) == {(name, declared.name) for name in NAMES for declared in load_service(name).sweeps}


@pytest.mark.parametrize(("service", "sweep_name"), PREPARED)
async def test_a_subject_that_breaks_a_sweep_stops_no_other_and_is_retried_by_a_person(
    database: Database, keys: SigningKeyPair, jwks_file: Path, service: str, sweep_name: str
) -> None:
    async with running(service, database, keys, jwks_file) as (runtime, client):
        place = Place(service, runtime, client, database)
        broken, _ = await PREPARED[service, sweep_name](place)
        assert await place.count_due(sweep_name) == 2
        await place.refuse(broken.removeprefix(SUBJECT_PREFIX))
        await sweep(runtime)
        assert await place.count_due(sweep_name) == 0, "nobody waits for what waits for a person"
        failed = (await client.got("/v1/failed-work", kind="sweep", work=sweep_name))["items"]
        assert [(work["subject"], work["error"]) for work in failed] == [(broken, "NumericValueOutOfRangeError")]
        names_accounts = next(
            declared for declared in load_service(service).sweeps if declared.name == sweep_name
        ).judges_accounts
        if not broken.startswith(SUBJECT_PREFIX):  # which is no account's id
            of_account = (await client.got("/v1/failed-work", account_id=broken))["items"]
            assert (sweep_name in [work["work"] for work in of_account]) is names_accounts
        await place.mend()
        answer = await client.post(f"/v1/failed-work/{failed[0]['id']}:retry", {"reason": "mended"})
        assert (answer.status_code, answer.json()) == (200, failed[0])
        assert await place.count_due(sweep_name) == 1
        await sweep(runtime)
        assert await place.count_due(sweep_name) == 0
        assert (await client.got("/v1/failed-work", work=sweep_name))["items"] == []
        (entry,) = (await client.got("/v1/audit-entries", action="failed_work.retry"))["items"]
        assert (entry["object_id"], entry["personal"]["reason"]) == (failed[0]["id"], "mended")


async def test_work_that_did_not_fail_cannot_be_retried(
    database: Database, keys: SigningKeyPair, jwks_file: Path
) -> None:
    async with running("escalation", database, keys, jwks_file) as (_, client):
        answer = await client.post(f"/v1/failed-work/{UUID(int=1)}:retry", {"reason": "mended"})
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        none: dict[str, Any] = await client.got("/v1/stopped-work")
        assert none == {"items": [], "next": None}
        body = {"kind": "sweep", "work": "stepps", "reason": "mended"}
        mistyped = (
            await client.get("/v1/failed-work", work="stepps"),
            await client.post("/v1/failed-work:retry", body),
        )
        assert [(answer.status_code, answer.json()["code"]) for answer in mistyped] == [(422, "unknown_work")] * 2
