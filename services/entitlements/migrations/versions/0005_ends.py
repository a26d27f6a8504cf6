"""Access ends with its subscription, in the account's time zone."""

from alembic import op

from shared.persistence.migrations import grant_monitor_views, execute_script, create_pending_work_view

revision = "0005"
down_revision = "0004"

TABLES = """
CREATE TABLE entitlements.accounts (
    account_id UUID NOT NULL,
    time_zone TEXT NOT NULL,
    PRIMARY KEY (account_id)
);

ALTER TABLE entitlements.entitlements
    ADD COLUMN ended_on DATE,
    ADD COLUMN term_end DATE,
    ADD COLUMN ends_at TIMESTAMP WITH TIME ZONE,
    ADD COLUMN renewal_off_at TIMESTAMP WITH TIME ZONE,
    DROP CONSTRAINT entitlements_state_check,
    ADD CHECK (state IN ('active', 'suspending', 'suspended', 'ended')),
    ADD CHECK (state <> 'ended' OR (ended_on IS NOT NULL AND NOT allowed)),
    ADD CHECK (num_nulls(ended_on, term_end, ends_at) IN (0, 3)),
    DROP CONSTRAINT entitlements_failure_wanted_check,
    ADD CHECK (failure_wanted IN ('active', 'suspended', 'auto_renew_off'));

CREATE INDEX entitlements_to_end ON entitlements.entitlements (ends_at) WHERE state <> 'ended';

GRANT SELECT, INSERT, UPDATE, DELETE ON entitlements.accounts TO entitlements
"""

DUE = {
    "ends": "SELECT subscription_id::text AS detail, ends_at AS due_at FROM entitlements.entitlements"
    " WHERE ends_at IS NOT NULL AND state <> 'ended'",
}

AUDIT = {
    "audit_access": """
SELECT subscription_id, account_id, vendor_customer_id, vendor_subscription_id,
    CASE WHEN state = 'ended' THEN coalesce(seen_status, 'active')
        WHEN EXISTS (
            SELECT FROM entitlements.holds h WHERE h.subscription_id = e.subscription_id AND h.released_at IS NULL
        ) THEN 'suspended' ELSE 'active' END AS wanted, seen_status AS actual, state = 'ended' AS is_ended
FROM entitlements.entitlements e""",
}


def upgrade() -> None:
    """Make room for ends; what ended before comes by the backfill of SubscriptionEnded."""
    execute_script(TABLES)
    op.execute("DROP VIEW entitlements.pending_work")
    create_pending_work_view("entitlements", DUE)
    op.execute("DROP VIEW entitlements.audit_access")
    grant_monitor_views("entitlements", AUDIT)
