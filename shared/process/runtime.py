"""Resources with which one process of a service works."""

from dataclasses import dataclass, field
from functools import cached_property

import httpx2

from shared.base.connections.tls import get_default_context
from shared.base.connections.vendor import VendorHttpClient
from shared.base.health import Health
from shared.base.settings import Settings
from shared.base.wakeups import LoopWakeups
from shared.outside.mail import MailHop
from shared.outside.printing import DocumentPrinter
from shared.persistence.database import Units
from shared.process.jobs import ServiceJobs
from shared.process.service import Service
from shared.web.clients import ServiceClients
from shared.web.request_batching import RequestBatchers


@dataclass
class Runtime:
    """The parts that routes, consumers and jobs of one process share."""

    service: Service
    settings: Settings
    wakeups: LoopWakeups = field(default_factory=LoopWakeups)
    health: Health = field(default_factory=Health)

    @cached_property
    def units(self) -> Units:
        """Runs units with the service's own role."""
        return Units(self.settings, self.wakeups)

    @cached_property
    def batchers(self) -> RequestBatchers:
        """Does together what is asked for at once."""
        return RequestBatchers(self.units)

    @cached_property
    def clients(self) -> ServiceClients:
        """The other services."""
        return ServiceClients(self.settings)

    @cached_property
    def mail_hop(self) -> MailHop:
        """The next mail hop."""
        return MailHop(self.settings, self.health)

    @cached_property
    def vendor(self) -> httpx2.AsyncClient:
        """The vendor's API."""
        return VendorHttpClient(self.settings, self.health)

    @cached_property
    def tax_calculator(self) -> httpx2.AsyncClient:
        """The outside tax calculator's API."""
        url = self.settings.tax_calculator_url
        return httpx2.AsyncClient(base_url=url, timeout=10, verify=get_default_context())

    @cached_property
    def jobs(self) -> ServiceJobs:
        """The sweeps and intents of this process."""
        return ServiceJobs(self, self.service.sweeps, self.service.intents)

    @cached_property
    def printer(self) -> DocumentPrinter:
        """Makes PDF, in processes of its own."""
        return DocumentPrinter(self.settings.pdf_workers, self.settings.pdf_seconds, self.settings.pdf_queue)

    async def close(self) -> None:
        """Close every connection that was opened."""
        if "clients" in self.__dict__:
            await self.clients.close()
        if "vendor" in self.__dict__:
            await self.vendor.aclose()
        if "tax_calculator" in self.__dict__:
            await self.tax_calculator.aclose()
        if "printer" in self.__dict__:
            await self.printer.close()
        if "units" in self.__dict__:
            await self.units.close()
