"""The seven dashboards, from symptom to cause: a module each."""

from collections.abc import Sequence

from deploy.grafana.board import DashboardBoard
from deploy.grafana.boards import cases, events, lifecycle, platform, receivables, service, vendor_jobs

_ALL = (lifecycle, service, events, receivables, cases, vendor_jobs, platform)
BOARDS: Sequence[DashboardBoard] = tuple(module.BOARD for module in _ALL)
