"""What customers get on paper: invoices, credit notes and statements of account, as facts without words."""
