"""Bill runs and how far they are."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

import asyncpg

from services.invoicing.billing.tables import BillRunRow
from services.invoicing.subscriptions.repository.charge_rests import IS_CHARGE_BILLABLE
from shared.persistence.database import Unit
from shared.persistence.keyset import list_rows_after
from shared.persistence.local_midnights import write_local_midnight
from shared.pure.errors import NotFound


async def get_bill_run(unit: Unit, run_id: UUID) -> BillRunRow:
    """The run. Raises NotFound."""
    row = await unit.session.get(BillRunRow, run_id, populate_existing=True)
    if row is None:
        raise NotFound(f"there is no bill run {run_id}")
    return row


async def list_bill_run_rows(unit: Unit, after: UUID | None, limit: int) -> Sequence[BillRunRow]:
    """Runs in the order of their ids."""
    return await list_rows_after(unit, BillRunRow, after, limit)


# What is taken is read once and hashed: with statistics of an empty table the planner would read it for each account.
_INCLUDE = f"""
WITH taken AS MATERIALIZED (
    SELECT account_id FROM bill_run_accounts WHERE state IN ('waiting', 'to_be_taxed', 'drafted', 'approved')
)
INSERT INTO bill_run_accounts (run_id, account_id, state, due_at, reason)
SELECT $1, account_id, 'waiting', greatest($3, {write_local_midnight("$2::date", "a.time_zone")}), NULL FROM (
    SELECT account_id FROM terms WHERE next_due <= $2
    UNION SELECT account_id FROM terms WHERE ended_on IS NULL AND term_end <= $2
    UNION SELECT account_id FROM charges WHERE invoice_id IS NULL AND due_on <= $2
        AND {IS_CHARGE_BILLABLE.format("")}
) AS billed JOIN accounts a ON a.id = account_id
WHERE account_id NOT IN (SELECT account_id FROM taken)
ORDER BY account_id
"""


async def include_accounts_in_run(unit: Unit, run_id: UUID, day: date) -> int:
    """Put the accounts into a run that may have something due by a day and are in no other run; how many they are.

    Each is billed when that day has begun in its own zone.
    """
    return int((await unit.connection.execute(_INCLUDE, run_id, day, unit.now)).split()[-1])


_WAITING = """
SELECT r.run_id, r.account_id, r.state, b.run_date, b.at_once
FROM bill_run_accounts r JOIN bill_runs b ON b.id = r.run_id
WHERE r.account_id = ANY($1::uuid[]) AND r.state IN ('waiting', 'approved') AND r.due_at <= $2
ORDER BY r.run_id, r.state, r.account_id
"""


async def list_bill_run_work(unit: Unit, account_ids: Sequence[UUID]) -> list[asyncpg.Record]:
    """Map these accounts to what is to be done for them, by run and state."""
    return await unit.connection.fetch(_WAITING, account_ids, unit.now)  # type: ignore[no-any-return]


async def skip_bill_run_account(unit: Unit, run_id: UUID, account_id: UUID, reason: str) -> None:
    """An account cannot be billed; the others go on. What it has as a draft waits for another attempt."""
    await reset_bill_run_accounts(unit, run_id, account_id, "set_aside", reason)


async def reset_bill_run_accounts(
    unit: Unit, run_id: UUID, account_id: UUID, state: str, reason: str | None = None
) -> None:
    """The draft of an account is gone, if it had one, and the account is in this state; a waiting one is due."""
    await discard_bill_run_drafts(unit, run_id, [account_id])
    await unit.connection.execute(
        "UPDATE bill_run_accounts SET state = $3, due_at = $4, reason = $5, invoice_id = NULL"
        " WHERE run_id = $1 AND account_id = $2",
        run_id,
        account_id,
        state,
        unit.now if state == "waiting" else None,
        reason,
    )


async def map_undrafted_accounts(unit: Unit, run_id: UUID) -> dict[UUID, str]:
    """The accounts of a run that have no draft yet, or one without its tax, and their states.

    One whose day has not begun is `later`.
    """
    rows = await unit.connection.fetch(
        "SELECT account_id, CASE WHEN state = 'waiting' AND due_at > $2 THEN 'later' ELSE state END"
        " FROM bill_run_accounts WHERE run_id = $1 AND state IN ('waiting', 'to_be_taxed')",
        run_id,
        unit.now,
    )
    return dict(rows)


async def move_bill_run_accounts(unit: Unit, run_id: UUID, before: str, after: str, *, due: bool) -> int:
    """Let the accounts of a run in one state be in another, for a worker to do if they are due; how many they are."""
    done = await unit.connection.execute(
        "UPDATE bill_run_accounts SET state = $3, due_at = $4, reason = NULL WHERE run_id = $1 AND state = $2",
        run_id,
        before,
        after,
        unit.now if due else None,
    )
    return int(done.split()[-1])


_DISCARD = (
    "UPDATE charges c SET invoice_id = NULL FROM drafts d WHERE {which} AND c.invoice_id = d.id",
    "DELETE FROM draft_lines l USING drafts d WHERE {which} AND l.draft_id = d.id",
    "DELETE FROM drafts d WHERE {which}",
)
_WHICH = "d.run_id = $1 AND ($2::uuid[] IS NULL OR d.account_id = ANY($2))"


async def discard_bill_run_drafts(unit: Unit, run_id: UUID, account_ids: Sequence[UUID] | None = None) -> None:
    """The drafts of a run, or of these accounts in it, are gone; what they would have billed waits."""
    for statement in _DISCARD:
        await unit.connection.execute(statement.format(which=_WHICH), run_id, account_ids)


_COUNTS = "SELECT state, count(*) AS n FROM bill_run_accounts WHERE run_id = $1 GROUP BY state ORDER BY state"
_TOTALS = """
SELECT currency, count(*) FILTER (WHERE total_minor > 0) AS invoices,
    coalesce(sum(total_minor) FILTER (WHERE total_minor > 0), 0) AS total_minor,
    count(*) FILTER (WHERE total_minor < 0) AS credits,
    coalesce(-sum(total_minor) FILTER (WHERE total_minor < 0), 0) AS credited_minor
FROM (
    SELECT d.currency, d.total_minor FROM drafts d JOIN bill_run_accounts r USING (run_id, account_id)
    WHERE run_id = $1 AND r.state <> 'to_be_taxed'
    UNION ALL
    SELECT i.currency, i.total_minor FROM bill_run_accounts r
    JOIN invoices i ON i.id = r.invoice_id WHERE r.run_id = $1
    UNION ALL
    SELECT n.currency, -sum(n.total_minor) FROM bill_run_accounts r
    JOIN credit_notes n ON n.bill_id = r.invoice_id WHERE r.run_id = $1 GROUP BY r.account_id, n.currency
) AS billed
GROUP BY currency ORDER BY currency
"""


async def count_bill_run_accounts(unit: Unit, run_id: UUID) -> dict[str, int]:
    """How many accounts of a run are in which state."""
    return {row["state"]: row["n"] for row in await unit.connection.fetch(_COUNTS, run_id)}


async def compute_bill_run_totals(unit: Unit, run_id: UUID) -> list[asyncpg.Record]:
    """Sum up the drafts and invoices of a run, and what it gives back to how many accounts, by currency."""
    return await unit.connection.fetch(_TOTALS, run_id)  # type: ignore[no-any-return]


_ASIDE = """
SELECT account_id, reason FROM bill_run_accounts
WHERE run_id = $1 AND state = 'set_aside' AND account_id > $2 ORDER BY account_id LIMIT $3
"""


async def list_skipped_accounts(unit: Unit, run_id: UUID, after: UUID | None, limit: int) -> list[asyncpg.Record]:
    """The accounts that were set aside, with the reason."""
    return await unit.connection.fetch(_ASIDE, run_id, after or UUID(int=0), limit)  # type: ignore[no-any-return]


_CREDITS = """
SELECT r.account_id, r.state, a.currency, coalesce(d.total_minor, -n.total_minor, 0)::bigint AS total_minor,
    coalesce(n.credit_note_ids, '{}') AS credit_note_ids, r.reason
FROM bill_run_accounts r
JOIN accounts a ON a.id = r.account_id
LEFT JOIN drafts d ON d.run_id = r.run_id AND d.account_id = r.account_id AND d.total_minor < 0
LEFT JOIN LATERAL (
    SELECT sum(total_minor) AS total_minor, array_agg(id ORDER BY number) AS credit_note_ids
    FROM credit_notes WHERE bill_id = r.invoice_id
) n ON r.state = 'credited'
WHERE r.run_id = $1 AND r.account_id > $2
    AND (d.id IS NOT NULL OR r.state = 'credited' OR (r.state = 'nothing' AND r.reason IS NOT NULL))
ORDER BY r.account_id LIMIT $3
"""


async def list_bill_run_credits(unit: Unit, run_id: UUID, after: UUID | None, limit: int) -> list[asyncpg.Record]:
    """The accounts of a run that are or will be given something back, or should be and cannot, by account."""
    return await unit.connection.fetch(_CREDITS, run_id, after or UUID(int=0), limit)  # type: ignore[no-any-return]


_DIFFERENCES = """
SELECT account_id, currency, d.total_minor, coalesce(before.total_minor, 0) AS before_minor
FROM (
    SELECT account_id, d.currency, d.total_minor FROM drafts d JOIN bill_run_accounts r USING (run_id, account_id)
    WHERE run_id = $1 AND r.state <> 'to_be_taxed'
    UNION ALL
    SELECT i.account_id, i.currency, i.total_minor FROM bill_run_accounts r JOIN invoices i ON i.id = r.invoice_id
    WHERE r.run_id = $1
    UNION ALL
    SELECT n.account_id, n.currency, -sum(n.total_minor)::bigint FROM bill_run_accounts r
    JOIN credit_notes n ON n.bill_id = r.invoice_id WHERE r.run_id = $1 GROUP BY n.account_id, n.currency
) d
LEFT JOIN (
    SELECT account_id, currency, sum(total_minor)::bigint AS total_minor FROM (
        SELECT i.account_id, i.currency, i.total_minor FROM invoices i
        WHERE i.issue_date >= $2::date - interval '1 month' AND i.issue_date < $2
            AND EXISTS (SELECT FROM invoice_lines l WHERE l.invoice_id = i.id AND l.charge_id IS NULL)
        UNION ALL
        SELECT i.account_id, i.currency, i.total_minor
        FROM bill_runs b JOIN bill_run_accounts r ON r.run_id = b.id JOIN invoices i ON i.id = r.invoice_id
        WHERE b.run_date >= $2::date - interval '1 month' AND b.run_date < $2
    ) AS earlier GROUP BY account_id, currency
) before USING (account_id, currency)
WHERE d.total_minor <> coalesce(before.total_minor, 0) AND account_id > $3
ORDER BY account_id LIMIT $4
"""


async def list_bill_run_differences(
    unit: Unit, row: BillRunRow, after: UUID | None, limit: int
) -> list[asyncpg.Record]:
    """The accounts of a run that are billed another total than in the month before it, by account."""
    return await unit.connection.fetch(  # type: ignore[no-any-return]
        _DIFFERENCES, row.id, row.run_date, after or UUID(int=0), limit
    )


async def include_account_in_preview(unit: Unit, run_id: UUID, account_id: UUID) -> None:
    """Put one account into a run, whatever other run it is in."""
    await unit.connection.execute(
        "INSERT INTO bill_run_accounts (run_id, account_id, state, due_at) VALUES ($1, $2, 'waiting', $3)",
        run_id,
        account_id,
        unit.now,
    )


async def find_bill_preview_draft(unit: Unit, run_id: UUID) -> asyncpg.Record | None:
    """The draft of a run of one account, if something is to be billed or given back."""
    return await unit.connection.fetchrow("SELECT id, due_date, total_minor FROM drafts WHERE run_id = $1", run_id)


async def get_bill_preview_outcome(unit: Unit, run_id: UUID) -> asyncpg.Record:
    """State and reason of the account of a run of one account."""
    return await unit.connection.fetchrow("SELECT state, reason FROM bill_run_accounts WHERE run_id = $1", run_id)


async def list_draft_line_records(unit: Unit, draft_id: UUID) -> list[asyncpg.Record]:
    """The lines of a draft, in order."""
    return await unit.connection.fetch(  # type: ignore[no-any-return]
        "SELECT line, subscription_id, description, net_minor, tax_minor, tax_rate_bp, collectable_minor"
        " FROM draft_lines WHERE draft_id = $1 ORDER BY line",
        draft_id,
    )


_TO_PRORATE = """
SELECT subscription_id FROM terms
WHERE account_id = ANY($1::uuid[]) AND next_due <= $2 AND next_from < term_end AND changed_on > next_from
"""


async def list_subscriptions_to_prorate(unit: Unit, account_ids: Sequence[UUID], day: date) -> list[UUID]:
    """The subscriptions of these accounts of which a cycle is due in which something changed."""
    return [row["subscription_id"] for row in await unit.connection.fetch(_TO_PRORATE, account_ids, day)]
