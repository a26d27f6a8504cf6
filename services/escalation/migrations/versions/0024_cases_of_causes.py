"""Cases are found by what caused them."""

from shared.persistence.migrations import execute_script

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    """Add the index: whether a cause has a case is asked by each event that may open one."""
    execute_script("CREATE INDEX cases_of_cause ON escalation.cases (cause) WHERE cause IS NOT NULL")
