"""Resources with which one process of a service works."""

from dataclasses import dataclass, field
from functools import cached_property

import httpx2

from shared.base.connections.vendor import VendorClient
from shared.base.health import Health
from shared.base.settings import Settings
from shared.base.wakeups import Wakeups
from shared.outside.mail import MailHop
from shared.outside.printing import Printer
from shared.persistence.database import Units
from shared.process.jobs import Jobs
from shared.process.service import Service
from shared.web.clients import Clients
from shared.web.gathering import Batchers


@dataclass
class Runtime:
    """The parts that routes, consumers and jobs of one process share."""

    service: Service
    settings: Settings
    wakeups: Wakeups = field(default_factory=Wakeups)
    health: Health = field(default_factory=Health)

    @cached_property
    def units(self) -> Units:
        """Runs units with the service's own role."""
        return Units(self.settings, self.wakeups)

    @cached_property
    def batchers(self) -> Batchers:
        """Does together what is asked for at once."""
        return Batchers(self.units)

    @cached_property
    def clients(self) -> Clients:
        """The other services."""
        return Clients(self.settings)

    @cached_property
    def mail_hop(self) -> MailHop:
        """The next mail hop."""
        return MailHop(self.settings, self.health)

    @cached_property
    def vendor(self) -> httpx2.AsyncClient:
        """The vendor's API."""
        return VendorClient(self.settings, self.health)

    @cached_property
    def tax_calculator(self) -> httpx2.AsyncClient:
        """The outside tax calculator's API."""
        return httpx2.AsyncClient(base_url=self.settings.tax_calculator_url, timeout=10)

    @cached_property
    def jobs(self) -> Jobs:
        """The sweeps and intents of this process."""
        return Jobs(self, self.service.sweeps, self.service.intents)

    @cached_property
    def printer(self) -> Printer:
        """Makes PDF, in processes of its own."""
        return Printer(self.settings.pdf_workers, self.settings.pdf_seconds, self.settings.pdf_queue)

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
