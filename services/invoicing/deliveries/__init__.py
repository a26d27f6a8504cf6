"""The queue of documents to be sent, filled in the unit that issues them."""
