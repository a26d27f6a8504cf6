"""The words of cases and entries are kept, so that a search reads no text."""

from shared.persistence.migrations import execute_script

revision = "0013"
down_revision = "0012"

TABLE = """
CREATE TABLE escalation.case_words (
    text_id UUID NOT NULL,
    case_id UUID NOT NULL,
    words TSVECTOR NOT NULL,
    PRIMARY KEY (text_id),
    FOREIGN KEY(case_id) REFERENCES escalation.cases (id)
);
INSERT INTO escalation.case_words (text_id, case_id, words)
SELECT id, id, to_tsvector('simple', subject || ' ' || coalesce(description, '')) FROM escalation.cases
UNION ALL
SELECT id, case_id, to_tsvector('simple', content) FROM escalation.entries WHERE content <> '';
CREATE INDEX case_words_of_case ON escalation.case_words (case_id);
CREATE INDEX case_words_by_words ON escalation.case_words USING gin (words);
DROP INDEX escalation.cases_by_words;
DROP INDEX escalation.entries_by_words
"""


def upgrade() -> None:
    """Keep the words of all texts."""
    execute_script(TABLE)
