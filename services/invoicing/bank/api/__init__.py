"""Bank statements over REST.

bank_import_routes       files come in; how fresh our knowledge is
bank_import_list_routes  the files that came in
column_mapping_routes    what the columns of a bank's CSV mean
bank_account_routes      until when the payments into each bank account of ours are known
bank_entry_routes        the work list of what a person must decide
bank_repeat_routes       entries that are equal to one that was taken before
bank_knowledge_routes    what is known of the payments of one account
"""

from services.invoicing.bank.api import (
    bank_account_routes,
    bank_entry_routes,
    bank_import_list_routes,
    bank_import_routes,
    bank_knowledge_routes,
    bank_repeat_routes,
    column_mapping_routes,
)

ROUTERS = (
    column_mapping_routes.reads,
    column_mapping_routes.writes,
    bank_import_routes.reads,
    bank_import_routes.writes,
    bank_import_list_routes.reads,
    bank_entry_routes.reads,
    bank_entry_routes.writes,
    bank_repeat_routes.reads,
    bank_repeat_routes.writes,
    bank_knowledge_routes.reads,
    bank_account_routes.reads,
    bank_account_routes.writes,
)
