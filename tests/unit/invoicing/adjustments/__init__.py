"""The rules of credit notes, write-offs and refunds."""
