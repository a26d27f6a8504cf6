"""Credit notes, write-offs, refunds, reservations of disputes; limits and second persons."""
