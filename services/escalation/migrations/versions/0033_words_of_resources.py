"""Words of support resources are kept beside them, so that a search ranks them without forming them anew."""

from shared.persistence.migrations import execute_script

revision = "0033"
down_revision = "0032"

LANGUAGES = ("en", "de", "fr", "ru")
TABLE = """
CREATE TABLE escalation.resource_words (
    resource_id UUID NOT NULL,
    language TEXT NOT NULL,
    words TSVECTOR NOT NULL,
    PRIMARY KEY (resource_id),
    FOREIGN KEY (resource_id) REFERENCES escalation.support_resources (id)
);
INSERT INTO escalation.resource_words (resource_id, language, words)
SELECT id, language, to_tsvector((CASE language WHEN 'de' THEN 'german' WHEN 'fr' THEN 'french' WHEN 'ru' THEN 'russian'
    ELSE 'english' END)::regconfig, title || ' ' || content)
FROM escalation.support_resources;
DROP INDEX escalation.support_resources_by_words;
GRANT SELECT, INSERT, UPDATE ON escalation.resource_words TO escalation;
"""


def upgrade() -> None:
    """Make the table with an index for each language, and drop that of the expression."""
    execute_script(TABLE)
    for language in LANGUAGES:
        execute_script(
            f"CREATE INDEX resource_words_{language} ON escalation.resource_words USING gin (words)"
            f" WITH (fastupdate = off) WHERE language = '{language}'"
        )
