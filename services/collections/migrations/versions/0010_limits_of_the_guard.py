"""The guard has limits of its own, which only a person's decision about them can loosen."""

from shared.persistence.migrations import execute_script

revision = "0010"
down_revision = "0009"

LIMITS = """
ALTER TABLE collections.guard ADD COLUMN suspensions_per_hour INTEGER CHECK (suspensions_per_hour >= 0);
ALTER TABLE collections.guard ADD COLUMN share_of_accounts_percent INTEGER
    CHECK (share_of_accounts_percent BETWEEN 0 AND 100);
ALTER TABLE collections.guard ADD CHECK ((suspensions_per_hour IS NULL) = (share_of_accounts_percent IS NULL));
ALTER TABLE collections.guard_decisions DROP CONSTRAINT guard_decisions_decision_check;
ALTER TABLE collections.guard_decisions
    ADD CHECK (decision IN ('stop', 'resume', 'approve', 'set_limits'))
"""


def upgrade() -> None:
    """Add the limits, empty: until they are set, those of the newest version of the policy hold."""
    execute_script(LIMITS)
