"""Lists over all accounts are read by the index of what is asked for, also with many rows."""

from datetime import UTC, date, datetime
from uuid import uuid4

from services.collections.domain.suspension import SuspensionState
from services.collections.repository import (
    late_account_queries,
    notice_search,
    suspension_queries,
    waiting_step_queries,
)
from services.collections.repository.late_account_queries import LateAccountCriteria
from services.collections.repository.notice_search import NoticeCriteria
from services.collections.repository.suspension_queries import SuspensionCriteria
from services.collections.repository.waiting_step_queries import WaitingStepCriteria
from services.entitlements.repository import HoldCriteria, build_hold_search
from services.invoicing.accounts.repository import legal_entity_queries
from services.invoicing.adjustments.repository import approval_search
from services.invoicing.adjustments.repository.approval_search import ApprovalSearchCriteria
from services.invoicing.bank.repository import bank_import_search
from services.invoicing.bank.repository.bank_import_search import BankImportSearchCriteria
from services.invoicing.billing.repository import draft_queries
from services.invoicing.payments.repository import chargeback_queries
from services.invoicing.payments.repository.chargeback_queries import ChargebackSearchCriteria
from services.invoicing.revenue.repository import ledger_period_queries
from services.invoicing.revenue.repository.ledger_period_queries import LedgerPeriodCriteria
from services.invoicing.settings.repository import setting_change_queries
from services.invoicing.settings.repository.setting_change_queries import SettingChangeCriteria
from tests.builders import Database
from tests.component.query_plans import Query, check_plans

NOW = datetime(2026, 3, 2, tzinfo=UTC)
RECENTLY = datetime(2026, 3, 2, 23, tzinfo=UTC)
SOMEBODY = uuid4()

COLLECTIONS = (
    "SET search_path TO collections",
    "SET session_replication_role TO replica",  # suspensions of causes are not looked at
    "INSERT INTO accounts SELECT gen_random_uuid(), 'E' || n % 40, 'UTC', now() FROM generate_series(1, 20000) n",
    "INSERT INTO cases (id, account_id, opened_at, closed_at, stage, oldest_due_date)"
    " SELECT gen_random_uuid(), account_id, now(), CASE WHEN random() < 0.9 THEN now() END,"
    " 'step_' || (random() * 40)::int, date '2026-03-01' - (random() * 400)::int FROM accounts",
    "INSERT INTO items SELECT gen_random_uuid(), account_id, 'n', 'EUR', '2026-03-01', now(), 100, 1, NULL"
    " FROM accounts",
    "INSERT INTO deferrals (invoice_id, account_id, step, cause, until, since, waits_for)"
    " SELECT invoice_id, account_id, 's', 'c', NULL, now(), CASE WHEN random() < 0.02 THEN 'guard' ELSE 'policy' END"
    " FROM items",
    "INSERT INTO suspensions (id, account_id, subscription_id, state, policy_version, step, requested_at)"
    " SELECT gen_random_uuid(), account_id, gen_random_uuid(), CASE WHEN random() < 0.02 THEN 'effective'"
    " ELSE 'ended' END, 1, 's', now() FROM accounts",
    "INSERT INTO suspension_causes (suspension_id, invoice_id, round, account_id, caused_at, dunnable_minor, currency)"
    " SELECT id, gen_random_uuid(), 1, account_id, now(), 100, 'EUR' FROM suspensions",
    "ANALYZE accounts, cases, items, deferrals, suspensions, suspension_causes",
)


WAITING = {
    "guard": (WaitingStepCriteria("guard"), "deferrals_listed"),
    "account": (WaitingStepCriteria(account_id=SOMEBODY), "ix_collections_deferrals_account_id"),
    "entity": (WaitingStepCriteria(legal_entity="E7"), "accounts_by_entity|deferrals_pkey"),
    "all": (WaitingStepCriteria(), "deferrals_pkey"),
}
"""Criteria of waiting steps, with the indexes that find them."""


async def test_lists_of_collections(database: Database) -> None:
    await database.execute("; ".join(COLLECTIONS))
    late = {
        "all": (LateAccountCriteria(), "cases_open"),
        "entity": (LateAccountCriteria(legal_entity="E7"), "accounts_by_entity|cases_open"),
        "step": (LateAccountCriteria(step="step_7"), "cases_open_by_stage"),
        "days": (LateAccountCriteria(min_days_late=399), "cases_open_by_age"),
    }
    suspended = {
        "state": (SuspensionCriteria(SuspensionState.EFFECTIVE), "suspensions_listed"),
        "account": (SuspensionCriteria(account_id=SOMEBODY), "ix_collections_suspensions_account_id"),
        "all": (SuspensionCriteria(), "suspensions_pkey"),
    }
    for after in (None, SOMEBODY):
        queries: dict[str, tuple[Query, str]] = {
            **{
                f"late {k}": (late_account_queries.build_late_account_query(c, NOW, after, 101), index)
                for k, (c, index) in late.items()
            },
            **{
                f"suspensions {k}": (suspension_queries.build_suspension_query(c, after, 101), i)
                for k, (c, i) in suspended.items()
            },
            **{
                f"waiting {k}": (waiting_step_queries.build_waiting_step_query(c, after, 101), i)
                for k, (c, i) in WAITING.items()
            },
        }
        await check_plans(database, "collections", queries)
    page = [SOMEBODY] * 3
    rows = {
        "suspensions of a page": (
            (late_account_queries._SUSPENSIONS, [page]),
            "ix_collections_suspensions_account_id|suspensions_listed",
        ),
        "waiting of a page": ((late_account_queries._WAITING, [page]), "ix_collections_deferrals_account_id"),
    }
    await check_plans(database, "collections", rows)


HOLDS = (
    "SET search_path TO entitlements",
    "INSERT INTO holds (id, account_id, subscription_id, reason, owner, placed_at, invoice_ids, released_at)"
    " SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(),"
    " (ARRAY['fraud', 'admin', 'customer_request'])[1 + n % 3], 'team', '2026-01-01', '{}',"
    " CASE WHEN n % 50 > 0 THEN timestamptz '2026-02-01' END FROM generate_series(1, 20000) n",
    "ANALYZE holds",
)
HOLD_SEARCHES = {
    "standing": (HoldCriteria("standing"), "holds_standing"),
    "standing by reason": (HoldCriteria("standing", "fraud"), "holds_standing_by_reason"),
    "reason": (HoldCriteria(None, "fraud"), "holds_by_reason"),
    "account": (HoldCriteria("released", account_id=SOMEBODY), "holds_of_account"),
    "subscription": (HoldCriteria(subscription_id=SOMEBODY), "holds_of_subscription"),
    "all": (HoldCriteria(), "holds_pkey"),
}


async def test_lists_of_entitlements(database: Database) -> None:
    await database.execute("; ".join(HOLDS))
    for after in (None, SOMEBODY):
        searches = {
            name: (build_hold_search(criteria, after, 101), index) for name, (criteria, index) in HOLD_SEARCHES.items()
        }
        await check_plans(database, "entitlements", searches)


NOTICES = (
    "SET search_path TO collections",
    "INSERT INTO notices (id, account_id, kind, template, items, subscription_ids, state, created_at)"
    " SELECT gen_random_uuid(), gen_random_uuid(), 'steps', 't', '[]', '{}',"
    " CASE WHEN n % 50 = 0 THEN 'failed' ELSE 'withdrawn' END, timestamptz '2026-03-03' - n * interval '1 minute'"
    " FROM generate_series(1, 20000) n",
    "ANALYZE notices",
)
NOTICE_SEARCHES = {
    "state": (NoticeCriteria(state="failed"), "notices_listed"),
    "state since": (NoticeCriteria(state="withdrawn", since=RECENTLY), "notices_listed|notices_by_time"),
    "since": (NoticeCriteria(since=RECENTLY), "notices_by_time"),
    "account": (NoticeCriteria(account_id=SOMEBODY), "ix_collections_notices_account_id"),
    "all": (NoticeCriteria(), "notices_pkey"),
}


async def test_list_of_notices(database: Database) -> None:
    await database.execute("; ".join(NOTICES))
    for after in (None, SOMEBODY):
        searches = {
            name: (notice_search.build_notice_query(criteria, after, 101), index)
            for name, (criteria, index) in NOTICE_SEARCHES.items()
        }
        await check_plans(database, "collections", searches)


APPROVALS = (
    "SET search_path TO invoicing",
    "SET session_replication_role TO replica",  # accounts of approvals are not looked at
    "INSERT INTO approvals (id, kind, account_id, amount_minor, currency, lines, reason_code, reason, state,"
    " proposed_by, proposed_at, decided_at) SELECT gen_random_uuid(),"
    " (ARRAY['refund', 'write_off', 'credit_note'])[1 + n % 3], gen_random_uuid(), 1, 'EUR', '[]', 'r', 'r',"
    " CASE WHEN n % 50 = 0 THEN 'proposed' ELSE 'carried_out' END, 'p',"
    " timestamptz '2026-03-03' - n * interval '1 minute', CASE WHEN n % 50 > 0 THEN now() END"
    " FROM generate_series(1, 20000) n",
    "INSERT INTO bank_imports SELECT gen_random_uuid(), n::text, 'csv', NULL, 0, 0, 0, 0, 'f',"
    " timestamptz '2026-03-03' - n * interval '1 minute' FROM generate_series(1, 20000) n",
    "INSERT INTO setting_changes (id, kind, key, legal_entity, former, wanted, state, proposed_by, proposed_at,"
    " decided_at) SELECT gen_random_uuid(), (ARRAY['tax_rate', 'tolerance', 'legal_entity'])[1 + n % 3], n::text,"
    " 'E' || n % 40, '{}', '{}', CASE WHEN n % 50 = 0 THEN 'proposed' ELSE 'carried_out' END, 'p', now(),"
    " CASE WHEN n % 50 > 0 THEN now() END FROM generate_series(1, 20000) n",
    "INSERT INTO chargebacks (id, account_id, payment_id, network_reference, reason_code, amount_minor, cash_minor,"
    " currency, booked_on, answer_by, state, opened_at, decided_at) SELECT gen_random_uuid(), gen_random_uuid(),"
    " gen_random_uuid(), n::text, 'fraud', 1, 0, 'EUR', '2020-01-01', date '2020-01-02' + n,"
    " CASE WHEN n % 50 = 0 THEN 'open' ELSE 'lost' END, now(), CASE WHEN n % 50 > 0 THEN now() END"
    " FROM generate_series(1, 20000) n",
    "ANALYZE approvals, bank_imports, setting_changes, chargebacks",
)
CHARGEBACK_SEARCHES = {
    "state": (ChargebackSearchCriteria("open"), "chargebacks_by_state"),
    "account": (ChargebackSearchCriteria(account_id=SOMEBODY), "chargebacks_of_account"),
    "payment": (ChargebackSearchCriteria(payment_id=SOMEBODY), "ix_invoicing_chargebacks_payment_id"),
    "deadline": (ChargebackSearchCriteria(answer_before=date(2020, 3, 1)), "chargebacks_to_answer"),
    "all": (ChargebackSearchCriteria(), "chargebacks_pkey"),
}
APPROVAL_SEARCHES = {
    "state": (ApprovalSearchCriteria("refund", "proposed"), "approvals_by_state"),
    "account": (ApprovalSearchCriteria("refund", account_id=SOMEBODY), "ix_invoicing_approvals_account_id"),
    "since": (ApprovalSearchCriteria("write_off", since=RECENTLY), "approvals_by_time"),
    "all": (ApprovalSearchCriteria("write_off"), "approvals_by_kind"),
}
SETTING_SEARCHES = {
    "kind": (SettingChangeCriteria("tax_rate"), "setting_changes_by_kind"),
    "state": (SettingChangeCriteria(state="proposed"), "setting_changes_by_state"),
    "kind and state": (SettingChangeCriteria("tolerance", "proposed"), "setting_changes_(by_state|standing|by_kind)"),
    "entity": (SettingChangeCriteria(legal_entity="E7"), "setting_changes_of_entity"),
    "all": (SettingChangeCriteria(), "setting_changes_pkey"),
}
IMPORT_SEARCHES = {
    "since": (BankImportSearchCriteria(since=RECENTLY), "bank_imports_by_time"),
    "format": (BankImportSearchCriteria("csv"), "bank_imports_pkey"),
    "all": (BankImportSearchCriteria(), "bank_imports_pkey"),
}


async def test_lists_of_invoicing(database: Database) -> None:
    await database.execute("; ".join(APPROVALS))
    for after in (None, SOMEBODY):
        approvals = {
            name: (approval_search.build_approval_search(criteria, after, 101), index)
            for name, (criteria, index) in APPROVAL_SEARCHES.items()
        }
        imports = {
            f"imports {name}": (bank_import_search.build_bank_import_search(criteria, after, 101), index)
            for name, (criteria, index) in IMPORT_SEARCHES.items()
        }
        changes = {
            f"settings {name}": (setting_change_queries.build_setting_change_search(criteria, after, 101), index)
            for name, (criteria, index) in SETTING_SEARCHES.items()
        }
        chargebacks = {
            f"chargebacks {name}": (chargeback_queries.build_chargeback_search(criteria, after, 101), index)
            for name, (criteria, index) in CHARGEBACK_SEARCHES.items()
        }
        await check_plans(database, "invoicing", approvals | imports | changes | chargebacks)


RUN = uuid4()
DRAFTS = (
    "SET search_path TO invoicing",
    "SET session_replication_role TO replica",  # runs and accounts of drafts are not looked at
    "INSERT INTO drafts SELECT gen_random_uuid(), r, gen_random_uuid(), 'E', 'EUR', '2026-03-02', '2026-03-16', 119"
    f" FROM unnest('{{{RUN},{SOMEBODY}}}'::uuid[]) r, generate_series(1, 10000)",
    "INSERT INTO bill_run_accounts SELECT run_id, account_id, 'drafted' FROM drafts",
    "INSERT INTO draft_lines SELECT id, 1, account_id, gen_random_uuid(), gen_random_uuid(), 'd', true, 100, 19, 1900,"
    " 119 FROM drafts",
    "INSERT INTO charges SELECT charge_id, account_id, subscription_id, 'cycle', NULL, gen_random_uuid(), 1,"
    " '2026-02-01', '2026-03-01', '2026-02-01', '2026-03-01', 1, 100, 100, 'EUR', '2026-03-01', false, 0, draft_id,"
    " now(), 0, 0 FROM draft_lines",
    "ANALYZE drafts, bill_run_accounts, draft_lines, charges",
)


async def test_list_of_drafts_and_their_lines(database: Database) -> None:
    await database.execute("; ".join(DRAFTS))
    draft_id = await database.value("SELECT id FROM invoicing.drafts LIMIT 1")
    queries: dict[str, tuple[Query, str]] = {
        f"{account_id} {after}": (
            draft_queries.build_draft_list_query(RUN, account_id, after, 101),
            "drafts_run_id_account_id_key",
        )
        for account_id in (None, SOMEBODY)
        for after in (None, SOMEBODY)
    }
    lines: dict[str, tuple[Query, str]] = {"lines": ((draft_queries.LINES, [draft_id]), "draft_lines_pkey")}
    await check_plans(database, "invoicing", queries | lines)


LEDGER = (
    "SET search_path TO invoicing",
    "SET session_replication_role TO replica",  # entries need not balance here
    "INSERT INTO legal_entities (code, name, address, tax_id, register_number, bank_name, iban, bic, sends_documents,"
    " tax_calculator, version, changed_by, changed_at)"
    " SELECT 'E' || n, '', '{}', '', '', '', '', '', false, 'rates', 0, 'test', now() FROM generate_series(1, 40) n",
    "INSERT INTO ledger_entries (legal_entity, code, currency, amount_minor, account_id, document, document_id,"
    " event_sequence, posted_on, posted_at) SELECT 'E' || n % 40, 'cash', 'EUR', 1, gen_random_uuid(), 'payment',"
    " gen_random_uuid(), 1, date '2026-03-01' - n % 400, now() FROM generate_series(1, 20000) n",
    "INSERT INTO ledger_periods SELECT 'E' || n % 40, date '2020-01-01' + n * interval '1 month', 'f', 'r', now()"
    " FROM generate_series(1, 60) n",
    "ANALYZE legal_entities, ledger_entries, ledger_periods",
)


async def test_lists_in_the_order_of_codes(database: Database) -> None:
    await database.execute("; ".join(LEDGER))
    queries: dict[str, tuple[Query, str]] = {
        f"entities {after}": (legal_entity_queries.build_legal_entity_list(after, 101), "legal_entities_pkey")
        for after in (None, "E7")
    }
    for criteria in (
        LedgerPeriodCriteria(),
        LedgerPeriodCriteria("E7"),
        LedgerPeriodCriteria(state="open"),
        LedgerPeriodCriteria("E7", "open"),
    ):
        for after in (None, ("E7", NOW.date())):
            query = ledger_period_queries.build_ledger_period_list(criteria, NOW.date(), after, 101)
            queries[f"{criteria} {after}"] = (query, "ledger_entries_by_day")
    await check_plans(database, "invoicing", queries)
