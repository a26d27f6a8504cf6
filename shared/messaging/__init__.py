"""Events on their way: published by the relay, applied by the consumer."""
