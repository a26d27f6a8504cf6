"""A process put together: its service, jobs and intents."""
