"""The routes of entitlements."""

from services.entitlements.api import access, holds

ROUTERS = (access.reads, holds.writes)
