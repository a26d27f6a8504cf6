"""Documents in the customer's words: HTML, which is also printed, and the mail that carries it."""
