"""Cases and contacts of a former schema are cases with threads, clocks and words."""

from pathlib import Path
from uuid import UUID, uuid4

import asyncpg

from deploy.local.postgres import PostgresServer
from deploy.local.tokens import SigningKeyPair
from shared.migrate import migrate_database
from tests.builders import Database, running, sweep
from tests.upgrades import create_database_at

ACCOUNT = UUID(int=71)
ANSWERED, WAITING, RESOLVED, TASK = (UUID(int=number) for number in range(72, 76))
CASE = """
INSERT INTO escalation.cases (id, account_id, kind, state, subject, opened_at, opened_by, outcome, outcome_at,
    outcome_sequence)
VALUES ($1, $2, $3, $4, $5, '2026-03-02T09:00Z', 'support', $6, '2026-03-02T10:00Z', $7)
"""
CONTACT = """
INSERT INTO escalation.contacts (id, case_id, account_id, channel, about_outcome, comment, actor, contacted_at,
    sequence)
VALUES ($1, $2, $3, $4, true, 'explained the rebate', 'support', '2026-03-02T11:00Z', 9)
"""


async def test_cases_of_before_are_cases_with_threads(
    postgres: PostgresServer, keys: SigningKeyPair, jwks_file: Path
) -> None:
    name = f"before_threads_{uuid4().hex[:8]}"
    await create_database_at(postgres, name, "escalation", "0009")
    owner = await asyncpg.connect(postgres.url(database=name))
    for case_id, account_id, kind, state, outcome, sequence in (
        (ANSWERED, ACCOUNT, "billing_question", "open", None, None),
        (WAITING, ACCOUNT, "billing_question", "open", None, None),
        (RESOLVED, ACCOUNT, "fraud", "resolved", "an error", 7),
        (TASK, ACCOUNT, "task", "open", None, None),
    ):
        await owner.execute(CASE, case_id, account_id, kind, state, f"case of {kind}", outcome, sequence)
    await owner.execute("UPDATE escalation.cases SET outcome_at = NULL WHERE outcome IS NULL")
    for contact_id, case_id, channel in ((UUID(int=81), ANSWERED, "phone"), (UUID(int=82), RESOLVED, "letter")):
        await owner.execute(CONTACT, contact_id, case_id, ACCOUNT, channel)
    await owner.execute("INSERT INTO escalation.streams VALUES ($1, 9)", str(ACCOUNT))
    await owner.close()
    await migrate_database(postgres.url("owner", name))
    upgraded = Database(postgres, name)
    await upgraded.install_clock()
    async with running("escalation", upgraded, keys, jwks_file) as (runtime, client):
        await sweep(runtime)
        cases = {UUID(case["id"]): case for case in (await client.got("/v1/cases"))["items"]}
        assert {case_id: (case["state"], case["queue"]) for case_id, case in cases.items()} == {
            ANSWERED: ("new", "billing"),
            WAITING: ("new", "billing"),
            RESOLVED: ("resolved", "fraud"),
            TASK: ("new", "tasks"),
        }
        assert len({case["number"] for case in cases.values()}) == 4
        (call,) = (await client.got(f"/v1/cases/{ANSWERED}/entries"))["items"]
        assert (call["kind"], call["audience"], call["content"]) == ("call", "customer", "explained the rebate")
        page = await client.got("/v1/case-search", words="rebate")
        assert {UUID(case["id"]) for case in page["items"]} == {ANSWERED, RESOLVED}
        due = {case_id for case_id, case in cases.items() if case["next_deadline_at"]}
        assert due == {WAITING}, "whoever was answered, and a task, is owed no first answer"
        closed = await client.create(f"/v1/cases/{RESOLVED}:close", {"reason": "the letter told it"})
        assert closed["state"] == "closed"
