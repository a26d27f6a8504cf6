"""Bank statements: files in, entries matched with what is owed, booked or decided by a person."""
