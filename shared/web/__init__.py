"""The HTTP edge: who asks, what is answered, and what is asked of other services."""
