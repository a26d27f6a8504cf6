"""Where the dashboards are."""

from deploy.grafana.panels import board

SERVICE = board("gs-service", "One service")
EVENTS = board("gs-events", "Events")
MONEY = board("gs-receivables", "Receivables and collections")
CASES = board("gs-cases", "Subscriptions, disputes and cases")
VENDOR = board("gs-vendor-jobs", "Vendor and jobs")
PLATFORM = board("gs-platform", "Platform")
