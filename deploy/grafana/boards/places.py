"""Where the dashboards are."""

from deploy.grafana.panels import link_to_board

SERVICE = link_to_board("gs-service", "One service")
EVENTS = link_to_board("gs-events", "Events")
MONEY = link_to_board("gs-receivables", "Receivables and collections")
CASES = link_to_board("gs-cases", "Subscriptions, disputes and cases")
VENDOR = link_to_board("gs-vendor-jobs", "Vendor and jobs")
PLATFORM = link_to_board("gs-platform", "Platform")
