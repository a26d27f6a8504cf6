"""Use cases of entitlements: one function per action, that loads, decides, saves and publishes."""

from services.entitlements.use_cases import access, holds, subscription_ends, suspensions, vendor_results

__all__ = ["access", "holds", "subscription_ends", "suspensions", "vendor_results"]
