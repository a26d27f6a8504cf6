"""Mail of cases as it is written and read."""
