"""Double entries, by legal entity and currency: posted, never changed."""
