"""The customers' mailbox: a real SMTP server that keeps what it receives and shows it over HTTP."""
