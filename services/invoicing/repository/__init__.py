"""Every query of invoicing; the only place that knows both rows and domain."""

from services.invoicing.repository import accounts, balances, invoices, payments, vendor

__all__ = ["accounts", "balances", "invoices", "payments", "vendor"]
