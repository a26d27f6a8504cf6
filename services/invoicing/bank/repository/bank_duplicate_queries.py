"""Entries that come in and are known: those that were taken before, and those that may be the same money.

They are found among the entries in the temporary tables of `incoming`.
"""

from shared.persistence.database import Unit

_FIND_REPEATS = """
INSERT INTO incoming_repeats SELECT n.place, n.id, b.id
FROM incoming_entries n JOIN bank_entries b ON b.bank_account = n.bank_account AND b.entry_key = n.entry_key
"""
# What was taken without its reference is known by its former key, if payer and text are those that were kept.
_FIND_FORMER = """
INSERT INTO incoming_repeats SELECT DISTINCT ON (n.place) n.place, n.id, b.id
FROM incoming_entries n JOIN incoming_former_keys f ON f.place = n.place
JOIN bank_entries b ON b.bank_account = f.bank_account AND b.entry_key = f.entry_key AND b.reference IS NULL
    AND b.payer IS NOT DISTINCT FROM f.payer AND b.text = f.text
WHERE NOT EXISTS (SELECT FROM incoming_repeats r WHERE r.place = n.place)
ORDER BY n.place, b.id
"""
_FIND_REPEATS_WITHIN = """
INSERT INTO incoming_repeats SELECT place, id, first_id FROM (
    SELECT place, id, first_value(id) OVER (PARTITION BY bank_account, entry_key ORDER BY place) AS first_id
    FROM incoming_entries n WHERE NOT EXISTS (SELECT FROM incoming_repeats r WHERE r.place = n.place)
) AS equal WHERE id <> first_id
"""
_DROP_REPEATED = "DELETE FROM incoming_entries USING incoming_repeats r WHERE r.place = incoming_entries.place"


async def set_aside_repeated_entries(unit: Unit) -> int:
    """Set those entries aside that were taken before, each beside the entry that it repeats; how many they are.

    Imports are locked.
    """
    await unit.connection.execute("ANALYZE incoming_entries, incoming_former_keys")
    for query in (_FIND_REPEATS, _FIND_FORMER, _FIND_REPEATS_WITHIN):
        await unit.connection.execute(query)
    await unit.connection.execute("ANALYZE incoming_repeats")
    return int((await unit.connection.execute(_DROP_REPEATED)).split()[-1])


_DOUBT_REFERENCES = """
UPDATE incoming_entries n SET is_doubtful = true
FROM bank_entries b JOIN bank_imports i ON i.id = b.import_id
WHERE n.reference <> '' AND b.bank_account = n.bank_account AND b.reference = n.reference AND i.format <> $1
    AND b.booked_on = n.booked_on AND b.amount_minor = n.amount AND b.currency = n.currency
    AND b.is_credit = n.is_credit
"""
_DOUBT_FORMER_KEYS = """
UPDATE incoming_entries n SET is_doubtful = true
FROM incoming_former_keys f
JOIN bank_entries b ON b.bank_account = f.bank_account AND b.entry_key = f.entry_key AND b.reference IS NULL
JOIN bank_imports i ON i.id = b.import_id AND i.format <> $1
WHERE f.place = n.place AND n.reference <> ''
"""


async def doubt_entries_across_formats(unit: Unit, file_format: str) -> None:
    """Doubt entries whose reference came in a file of another format, with this day and amount.

    They may be the same money, since banks write payer and text in each format as they like.
    """
    for query in (_DOUBT_REFERENCES, _DOUBT_FORMER_KEYS):
        await unit.connection.execute(query, file_format)
