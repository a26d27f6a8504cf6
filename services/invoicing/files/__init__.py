"""Files that others hand in: usage, and what the vendor billed."""
