"""Bill runs, drafts, previews, tax, invoices by hand, and credits where a bill comes to less than nothing."""
