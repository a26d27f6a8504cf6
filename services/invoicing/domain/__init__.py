"""The rules of invoicing, pure: facts and `now` in, what is owed out.

owed             what is open, disputed and due of an invoice; allocation, credit, when it is overdue
plan             what a plan's version says, and which version a term has
cycles           billing cycles and terms: where they begin, by the vendor's rules for anchors
course           what happened to a subscription, from which every charge follows; what may be changed when
proration        what a stretch of a cycle costs, and what settles the difference to what was charged
usage            what rated usage costs
ledger           the entries of each fact
statements       bank statements, read entry by entry
matching         whose money an entry of a statement is: scores, and what is certain
states           of bill runs and of changes
vendor_invoice   what we owe the vendor, and when we are warned
reconciliation   what the vendor bills, compared with what we expected
"""
