"""`python -m sandbox.demo`: a year of forty accounts on a fresh local stack, and what the product made of it."""

import os
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any

import typer
import uvloop
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from deploy.local.children import StartFailedError
from deploy.local.stack import Stack, remove_stack_folder
from deploy.local.state import DEFAULT, AlreadyRunningError
from sandbox import checks, clock, topics
from sandbox.billing_support import BillingStories
from sandbox.customers import CustomerYear, make_customer_year
from sandbox.driver import Refused, SandboxDriver, open_driver
from sandbox.idle import SystemNotSettled
from sandbox.replay import STANDARD
from sandbox.support import SupportCase, tell_case_story
from sandbox.topics import PublishedEvent
from sandbox.vendor_support import VendorStory
from sandbox.year import PlanYear
from shared.pure.money import Money

START = date(2025, 1, 1)
LOOPS_CLOSED_EVERY = timedelta(days=7)
SUPPORT_AFTER = timedelta(days=62, hours=10)
"""When in the year a customer's mail stands still: by then every account is there."""

console = Console(highlight=False)


async def close_case_loops(driver: SandboxDriver) -> None:
    """Do what support does every week: tell customers the outcome of their cases, and close these."""
    page = await driver.get("escalation", "/v1/cases?state=resolved&limit=500")
    for case in page["items"]:
        path = f"/v1/cases/{case['id']}"
        contact = {"channel": "email", "about_outcome": True, "comment": case["outcome"]}
        await driver.post("escalation", f"{path}/contacts", contact)
        await driver.post("escalation", f"{path}:close", {"reason": "the customer knows the outcome"})


@dataclass(frozen=True, slots=True)
class LivedYear:
    """A year that was lived: what was published, what the checks found, a suspended account, cases of support."""

    events: list[PublishedEvent]
    findings: dict[str, list[str]]
    standing: dict[str, Any] | None
    case: list[str]
    billing: list[str]


async def live_through_year(stack: Stack, year: CustomerYear) -> LivedYear:
    """Live through the year, and read what is told of it."""
    world, support, billing, vendor = PlanYear(year), SupportCase(), BillingStories(), VendorStory()
    end = datetime.combine(year.end, datetime.min.time(), UTC)
    async with open_driver(stack) as driver:
        await world.prepare(driver, STANDARD.read_text())
        world.plan_actions(driver)
        friday = world.begin() + timedelta(hours=15)
        while (friday := friday + LOOPS_CLOSED_EVERY) < end:
            driver.at(friday, close_case_loops)
        support.plan_actions(driver, world.begin() + SUPPORT_AFTER)
        billing.plan_actions(driver, world.begin() + SUPPORT_AFTER + timedelta(days=1))
        vendor.plan_actions(driver, world.begin() + SUPPORT_AFTER + timedelta(days=2))
        await _with_progress(driver, end)
        events = await topics.read_all_events(stack.kafka_access)
        findings_by_check = await checks.list_stack_findings(stack, events)
        standing = await _find_suspended(driver, events)
        stories = [*await billing.tell(driver), *await vendor.tell(driver)]
        return LivedYear(events, findings_by_check, standing, tell_case_story(*await support.read(driver)), stories)


async def _with_progress(driver: SandboxDriver, end: datetime) -> None:
    begin = datetime.combine(START, datetime.min.time(), UTC)
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("living", total=(end - begin).days)

        def show_progress(instant: datetime, _: int) -> None:
            progress.update(task, completed=(instant - begin).days, description=f"{instant:%d %B %Y}")

        await driver.run(show_progress, until=end)


async def _find_suspended(driver: SandboxDriver, events: Sequence[PublishedEvent]) -> dict[str, Any] | None:
    """The standing of an account that is suspended now."""
    standing = set()
    for event in sorted(events, key=lambda published: (published.time, published.sequence)):
        if event.name == "SubscriptionSuspended":
            standing.add(event.subject)
        elif event.name == "SubscriptionReinstated":
            standing.discard(event.subject)
    return await driver.get("collections", f"/v1/accounts/{min(standing)}/standing") if standing else None


def summarize_year(events: Sequence[PublishedEvent]) -> Table:
    """Summarise the year in words."""
    kinds = Counter(event.name for event in events)
    invoiced: defaultdict[str, int] = defaultdict(int)
    paid: defaultdict[str, int] = defaultdict(int)
    for event in events:
        if event.name == "InvoiceIssued":
            invoiced[event.payload["balance"]["currency"]] += event.payload["balance"]["total_minor"]
        elif event.name == "PaymentReceived":
            paid[event.payload["currency"]] += event.payload["amount_minor"]
    steps = [event for event in events if event.name == "NoticeSent" and event.payload["kind"] == "steps"]
    outcomes = Counter(event.payload["outcome"] for event in events if event.name == "DisputeResolved")
    table = Table("", "", show_header=False, box=None, pad_edge=False)
    table.add_row("billed", f"{kinds['BillRunFinished']} bill runs, {kinds['SubscriptionChanged']} changes of seats")
    table.add_row("invoiced", f"{kinds['InvoiceIssued']} invoices: {_amounts(invoiced)}")
    table.add_row("paid", f"{kinds['PaymentReceived']} payments: {_amounts(paid)}")
    table.add_row("overdue", f"{kinds['InvoiceOverdue']} invoices in {kinds['DunningCaseOpened']} dunning cases")
    table.add_row(
        "reminded", f"{len(steps)} messages for {sum(len(notice.payload['items']) for notice in steps)} steps"
    )
    table.add_row("suspended", f"{kinds['SubscriptionSuspended']} subscriptions, at the vendor")
    table.add_row("reinstated", f"{kinds['SubscriptionReinstated']}, with their renewal settings put back")
    upheld = f"{outcomes['upheld']} upheld, {outcomes['partly_upheld']} in part"
    table.add_row("disputed", f"{kinds['DisputeOpened']}: {upheld}, {outcomes['rejected']} rejected")
    table.add_row("cases", f"{kinds['CaseOpened']} opened, {kinds['CaseClosed']} closed after the customer was told")
    return table


def _amounts(amounts: dict[str, int]) -> str:
    """Amounts beside each other, never added across currencies."""
    return ", ".join(str(Money(minor, currency)) for currency, minor in sorted(amounts.items()))


def tell_suspension_story(standing: dict[str, Any]) -> list[str]:
    """The story of a suspended account, told from its standing alone."""
    suspension = standing["suspensions"][0]
    lines = []
    for item in standing["items"]:
        amounts = item["amounts"]
        owed = Money(amounts["dunnable_minor"], amounts["currency"])
        lines.append(f"Invoice {item['number']} was due on {item['due_date']}; {owed} of it is dunnable now.")
        taken = [step for step in item["steps"] if step["taken_at"]]
        lines += [f"  {step['taken_at'][:10]}  {step['step']} ({step['outcome']})" for step in taken]
        if item["next"]:
            lines.append(f"  {item['next']['at'][:10]}  next: {item['next']['rule']}")
    lines.append(f"Access ended at the vendor on {suspension['effective_at'][:10]}.")
    if suspension["vendor_bills_on"]:
        lines.append("The vendor bills on while it is suspended: we go on owing for it.")
    return lines


def _tell(lived: LivedYear) -> None:
    console.rule("the year")
    console.print(summarize_year(lived.events))
    if lived.standing is not None:
        console.rule("the story of one suspended account")
        console.print("\n".join(tell_suspension_story(lived.standing)), markup=False)
    console.rule("the story of one case")
    console.print("\n".join(lived.case), markup=False)
    console.rule("a dispute upheld in part, a service credit, a fraud case, a ticket at the vendor")
    console.print("\n".join(lived.billing), markup=False)
    console.rule("what must hold")
    for name, wrong in lived.findings.items():
        console.print(f"{'[red]no ' if wrong else '[green]yes'}[/] {name}")
        for finding in wrong[:5]:
            console.print(f"      {finding}", markup=False)
    console.rule("where to look next")
    console.print(
        "make up      opens this stack again: the API pages, the policy as a page, the mails that were sent\n"
        "make token   prints tokens for the API\n"
        "make watch   shows what is on a topic: TOPIC=collections.events"
    )


def main(seed: Annotated[int, typer.Option(help="another seed, another year")] = 7) -> None:
    """Start a fresh local stack, live through a year, and tell what happened."""
    os.environ[clock.START] = f"{START - timedelta(days=1):%Y-%m-%dT%H:%M:%S}"
    began = time.monotonic()
    try:
        if DEFAULT.exists():
            console.print("the data of the former local stack are replaced")
            remove_stack_folder(DEFAULT)
        with Stack(DEFAULT, log_level="warning", tell=console.print) as stack:
            lived = uvloop.run(live_through_year(stack, make_customer_year(seed, START.year)))
    except AlreadyRunningError as running:
        console.print(f"{running}: `make down` first", style="red", markup=False)
        raise typer.Exit(1) from running
    except (SystemNotSettled, Refused, StartFailedError) as error:
        console.print(str(error), style="red", markup=False)
        raise typer.Exit(1) from error
    _tell(lived)
    console.print(f"\nall this took {time.monotonic() - began:.0f} s")
    if any(lived.findings.values()):
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
