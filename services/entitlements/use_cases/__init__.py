"""Use cases of entitlements: one function per action, that loads, decides, saves and publishes."""

from services.entitlements.use_cases import access, ends, holds, suspensions, vendor

__all__ = ["access", "ends", "holds", "suspensions", "vendor"]
