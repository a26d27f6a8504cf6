"""Exchange rates, by which exposure is shown in one currency."""

from shared.persistence.migrations import execute_script

revision = "0008"
down_revision = "0007"

TABLES = """
CREATE TABLE invoicing.exchange_rates (
    id UUID NOT NULL,
    source TEXT NOT NULL,
    rate_date DATE NOT NULL,
    base TEXT NOT NULL,
    quote TEXT NOT NULL,
    rate NUMERIC NOT NULL,
    set_by TEXT NOT NULL,
    set_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (rate_date, source, base, quote),
    CHECK (rate > 0),
    CHECK (base <> quote)
);

CREATE INDEX exchange_rates_of_quote ON invoicing.exchange_rates (quote, rate_date);
"""


def upgrade() -> None:
    """Create the table; the service's role gets it by the schema's default rights."""
    execute_script(TABLES)
