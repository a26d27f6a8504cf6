"""Bank statements over REST.

imports      files come in; how fresh our knowledge is
import_list  the files that came in
mappings     what the columns of a bank's CSV mean
accounts     until when the payments into each bank account of ours are known
entries      the work list of what a person must decide
repeats      entries that are equal to one that was taken before
knowledge    what is known of the payments of one account
"""

from services.invoicing.api.bank import accounts, entries, import_list, imports, knowledge, mappings, repeats

ROUTERS = (
    mappings.reads,
    mappings.writes,
    imports.reads,
    imports.writes,
    import_list.reads,
    entries.reads,
    entries.writes,
    repeats.reads,
    repeats.writes,
    knowledge.reads,
    accounts.reads,
    accounts.writes,
)
