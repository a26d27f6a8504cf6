"""The first tables of entitlements, the event backbone's, and who may use them."""

from shared.persistence.migrations import grant_monitor_views, create_backbone_tables, execute_script, create_pending_work_view, grant_service_rights

revision = "0001"
down_revision = None

TABLES = """
CREATE TABLE entitlements.entitlements (
    subscription_id UUID NOT NULL,
    account_id UUID NOT NULL,
    vendor_customer_id TEXT NOT NULL,
    vendor_subscription_id TEXT NOT NULL,
    bills_while_suspended BOOLEAN NOT NULL,
    granted_at TIMESTAMP WITH TIME ZONE NOT NULL,
    state TEXT NOT NULL,
    allowed BOOLEAN NOT NULL,
    since TIMESTAMP WITH TIME ZONE NOT NULL,
    snapshot JSONB,
    seen_status TEXT,
    seen_at TIMESTAMP WITH TIME ZONE,
    failure_wanted TEXT,
    failure_code TEXT,
    failure_detail TEXT,
    failed_at TIMESTAMP WITH TIME ZONE,
    waiting_for TEXT,
    PRIMARY KEY (subscription_id),
    CHECK (state IN ('active', 'suspending', 'suspended')),
    CHECK ((seen_status IS NULL) = (seen_at IS NULL)),
    CHECK (failure_wanted IN ('active', 'suspended')),
    CHECK (num_nulls(failure_wanted, failure_code, failure_detail, failed_at) IN (0, 4)),
    UNIQUE (vendor_subscription_id)
);

CREATE INDEX entitlements_of_account ON entitlements.entitlements (account_id, subscription_id);

CREATE TABLE entitlements.holds (
    id UUID NOT NULL,
    account_id UUID NOT NULL,
    subscription_id UUID NOT NULL,
    reason TEXT NOT NULL,
    owner TEXT NOT NULL,
    comment TEXT,
    placed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    suspension_id UUID,
    invoice_ids UUID[] NOT NULL,
    released_at TIMESTAMP WITH TIME ZONE,
    attempted_at TIMESTAMP WITH TIME ZONE,
    effective_at TIMESTAMP WITH TIME ZONE,
    ended_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id),
    CHECK (reason IN ('non_payment', 'fraud', 'customer_request', 'admin')),
    CHECK ((reason = 'non_payment') = (suspension_id IS NOT NULL)),
    CHECK (released_at >= placed_at),
    CHECK (ended_at IS NULL OR (effective_at IS NOT NULL AND released_at IS NOT NULL)),
    UNIQUE (suspension_id)
);

CREATE INDEX holds_of_subscription ON entitlements.holds (subscription_id);
"""

DUE: dict[str, str] = {}

APPEND_ONLY: tuple[str, ...] = ()

AUDIT: dict[str, str] = {
    "audit_access": """
SELECT subscription_id, account_id, vendor_customer_id, vendor_subscription_id,
    CASE WHEN EXISTS (
        SELECT FROM entitlements.holds h WHERE h.subscription_id = e.subscription_id AND h.released_at IS NULL
    ) THEN 'suspended' ELSE 'active' END AS wanted, seen_status AS actual
FROM entitlements.entitlements e""",
    "audit_holds": """
SELECT id AS hold_id, subscription_id, reason, invoice_ids FROM entitlements.holds WHERE released_at IS NULL""",
}


def upgrade() -> None:
    """Create everything."""
    execute_script(TABLES)
    create_backbone_tables("entitlements")
    create_pending_work_view("entitlements", DUE)
    grant_service_rights("entitlements", APPEND_ONLY)
    grant_monitor_views("entitlements", AUDIT)
