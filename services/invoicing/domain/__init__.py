"""The rules of invoicing, pure: facts and `now` in, what is owed out.

owed         what is open, disputed and due of an invoice; allocation, credit, when it is overdue
cycles       billing cycles and terms: where they begin, by the vendor's rules for anchors
proration    what a stretch of a cycle costs, and what settles the difference to what was charged
plan         what a plan's version says, and which version a term has
contract     a subscription's course: terms, changes, suspensions; what may be changed when
tax          tax of an invoice by rate, spread over its lines
ledger       the entries of each fact
statements   bank statements, read entry by entry
matching     whose money an entry of a statement is: scores, and what is certain
"""
