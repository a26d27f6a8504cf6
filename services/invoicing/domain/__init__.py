"""The rules of invoicing, pure: facts and `now` in, what is owed out.

owed         what is open, disputed and due of an invoice; allocation, credit, when it is overdue
reconciliation, vendor_invoice   what the vendor bills, and where it differs from what we expected
cycles       billing cycles and terms: where they begin, by the vendor's rules for anchors
proration    what a stretch of a cycle costs, and what settles the difference to what was charged
plan         what a plan's version says, and which version a term has
contract     a subscription's course: terms, changes, suspensions; what may be changed when
usage        what rated usage costs the customer
states       of bill runs and of changes
ledger       the entries of each fact
"""
