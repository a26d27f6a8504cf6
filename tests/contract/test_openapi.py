"""Whatever is generated from a service's OpenAPI document gets an answer that the document declares."""

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any, get_args
from uuid import UUID, uuid4

import orjson
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode, openapi
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from deploy.local.tokens import SigningKeyPair
from services.escalation.api.case_bodies import LinkKind
from shared.events.invoicing import VendorCredit, VendorCreditReceived
from shared.persistence import failed_work
from shared.persistence.database import Unit
from shared.persistence.failed_work import FailedWorkName, WorkKind
from shared.process.service import NAMES, load_service
from shared.web.clients import RefusedByService
from shared.web.http import PROBLEM
from tests.architecture.test_routes import list_actions, routes
from tests.builders import (
    Client,
    Database,
    account,
    build_activated,
    build_registered,
    charged_back,
    eur,
    hear,
    invoice,
    running,
)
from tests.component.bank_statements import IBAN, Paid, build_camt_statement, import_statement
from tests.component.billing_world import Billing
from tests.component.calendar_requests import build_calendar, put_calendar
from tests.component.collections.test_collections import Hop, Invoicing, World, mailbox, publish
from tests.component.documents_world import SELLER, Papers
from tests.component.setting_requests import put_by_two
from tests.component.vendor_support import CHANNEL, DIFFERENCE
from tests.contract.free_text import MARK, mark
from tests.usage_files import as_csv as usage_files_as_csv
from tests.usage_files import usage_line
from tests.vendor_files import BilledLine, as_csv, vendor_invoice

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
STANDARD = (Path(__file__).parents[2] / "sandbox" / "policies" / "standard.yaml").read_text()
EACH = 8
"""How many generated cases every operation gets."""
LONGEST_GENERATED = 60
"""Characters of a generated text, at most."""
ROUNDS = 40
"""How often an operation gets them that has not done yet what it is for."""
FEW_ROUNDS = 12
"""The same for an operation that need not do it."""
COMMON: dict[str, list[Any]] = {
    "currency": ["EUR"],
    "vendor_customer_id": ["tenant-17"],
    "time_zone": ["Europe/Berlin"],
    "effective_date": ["2026-05-01"],
    "issue_date": ["2026-03-02"],
    "due_date": ["2026-03-31"],
    "paid_on": ["2026-03-02"],
    "start": ["2026-03-01"],
    "end_of_term": ["2027-02-28", None],
    "until": ["2026-04-10"],
    "if-match": ['"1"', '"2"', '"7"'],
}
"""What a generator does not hit by chance."""
BOTH = st.sampled_from([GenerationMode.POSITIVE, GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
HIT = st.sampled_from([True, True, False])
"""How often what exists takes the place of what was generated."""


NEVER_DECLARED = {
    "content-type",
    "content-length",
    "cache-control",
    "connection",
    "content-security-policy",
    "x-content-type-options",
}
"""Headers of every answer, which OpenAPI tells by other means or which are the same everywhere."""
FILES = {"application/xml": build_camt_statement([Paid("of March", 700)])}
"""What is sent as a file, where that is known: nobody generates one that makes sense."""
FILE_OF = {"/v1/usage-files": "usage_file", "/v1/support-resources:import": "resource_file"}
"""Whose CSV is another than that of most."""
MAPPING = {"bank_account": "DE02", "booked_on": "day", "amount": "sum", "currency": "currency", "text": ["text"]}
NEEDS_MORE = {
    "/v1/cases/{case_id}:close",
    "/v1/cases/{case_id}:read",
    "/v1/bill-runs/{run_id}/drafts/{draft_id}",
    "/v1/approvals/{approval_id}:withdraw",
    "/v1/setting-changes/{setting_change_id}:withdraw",
    "/v1/guard/limit-changes/{guard_limit_change_id}:approve",
    "/v1/guard/limit-changes/{guard_limit_change_id}:decline",
    "/v1/guard/limit-changes/{guard_limit_change_id}:withdraw",
}
"""What a single request does not always do: close a case whose outcome its customer may not know, read answers that
nobody gave, open a draft of the one run that it is in, withdraw what somebody else has proposed, decide about the one
change of the guard's limits."""
MAY_BE_MISSING = {
    "case.close",
    "case.read",
    "approval.withdraw",
    "setting_change.withdraw",
    "guard.approve_limits",
    "guard.decline_limits",
    "guard.withdraw_limits",
}
"""Their actions."""


OUR_OWN_NAMES: dict[str, str] = {
    "SubscriptionActivated.product": "what is sold, as the seller calls it",
    "SubscriptionActivated.vendor_customer_id": "the vendor's id of a tenant",
    "SubscriptionActivated.vendor_subscription_id": "the vendor's id",
    "AccountRegistered.external_reference": "the id in the caller's system",
    "AccountRegistered.vendor_customer_ids": "the vendor's ids of tenants",
    "VendorTicketOpened.number": "the vendor's number of a ticket",
    "VendorTicketUpdated.number": "the vendor's number of a ticket",
    "AccountRegistered.support_level": "the seller's name of a level",
    "AccountChanged.support_level": "the seller's name of a level",
    "AccountChanged.external_reference": "the id in the caller's system",
    "AccountChanged.vendor_customer_ids": "the vendor's ids of tenants",
    "InvoiceIssued.external_reference": "the id in the caller's system",
    "VendorInvoiceReceived.number": "the vendor's number of a document",
    "VendorInvoicePaid.number": "the vendor's number of a document",
    "VendorPaymentDue.number": "the vendor's number of a document",
    "ReconciliationCompleted.number": "the vendor's number of a document",
}
"""Fields of events whose text comes from a request, and why they may: whoever sends them names things, not people."""


VENDOR_INVOICE = UUID(int=68)
CONTESTED = {"reference": "line 2", "code": "quantity", "amount_minor": 100}
CREDITED_DIFFERENCES = [UUID(int=1000 + number) for number in range(40)]
"""Lines by which the vendor credits something."""


@dataclass
class Door:
    """Invoicing as escalation meets it: reserves up to 1000, refuses more, lets those with a role credit."""

    account_id: str

    async def post(self, path: str, body: Any, *, key: str | None = None) -> Any:
        if path.endswith(":authorise") and not body["roles"]:
            raise RefusedByService(403, {"code": "above_limit", "detail": "these roles may not decide about it"})
        if any(line["amount_minor"] > 1000 for line in body["lines"]):
            raise RefusedByService(409, {"code": "amount_refused", "detail": "line 1 has 1000 that can be disputed"})
        return body | {"is_reserved": True}

    async def get(self, path: str) -> Any:
        if "vendor-differences" in path:
            return DIFFERENCE | {"id": path.rpartition("/")[2], "vendor_invoice_id": str(VENDOR_INVOICE)}
        if "credit-notes" in path:
            return {"number": "GS-DE-C-1", "account_id": self.account_id, "currency": "EUR", "total_minor": 100}
        if "vendor-" in path:
            billed = {"number": "G1", "legal_entity": "GS-DE", "currency": "EUR", "total_minor": 10**18}
            return billed | {"vendor_invoice_id": str(VENDOR_INVOICE)}
        return {"lines": [{"line": line} for line in range(1, 1001)], "total_minor": 10**18}

    async def close(self) -> None:
        pass


@dataclass
class Edge:
    """A service with a little in it, by the names that parameters and fields have for it."""

    service: str
    client: Client
    database: Database
    operations: list[Any]
    seeded: dict[str, list[Any]]
    document: dict[str, Any]
    sent: int = 0

    async def list_leaks(self) -> set[str]:
        """List the fields of events, or their headers, that have what somebody wrote."""
        rows = await self.database.rows(f"SELECT type, headers, data FROM {self.service}.outbox")
        leaks = set()
        for row in rows:
            name = row["type"].split(".")[2]
            fields = [*orjson.loads(row["data"]).items(), ("headers", row["headers"])]
            leaks |= {f"{name}.{field}" for field, value in fields if MARK in str(value)}
        return leaks

    async def without_entry(self, actions: Iterable[str]) -> set[str]:
        """Those of these actions that left no entry in the audit."""
        rows = await self.database.rows(f"SELECT DISTINCT action FROM {self.service}.audit_entries")
        return set(actions) - {row["action"] for row in rows}

    async def check(self, case: Case[Any], existing: dict[str, Any]) -> int:
        """Send a case, with what is `existing` in its places; the status, once the answer is found as declared."""
        for place in (case.path_parameters, case.query, case.headers):
            place.update({name: existing[name] for name in place if name in existing})
        if "if-match" in existing and case.method == "PATCH":
            case.headers["if-match"] = existing["if-match"]
        files = FILES | ({"text/csv": existing[FILE_OF.get(case.operation.path, "file")]} if "file" in existing else {})
        self.sent += 1
        if existing and self.sent % 2 and case.media_type == "application/json":
            content = case.operation.definition.raw["requestBody"]["content"]
            case.body = mark(case.body, content[case.media_type]["schema"], self.document)
        case.body = (
            files[case.media_type] if existing and case.media_type in files else _place_existing(case.body, existing)
        )
        sent = case.as_transport_kwargs(base_url="http://service")
        own = self.client.headers | {"idempotency-key": str(uuid4())}
        # What a header must not be is generated as a number, too.
        headers = {name: str(value) for name, value in sent.pop("headers").items() if name.lower() not in own} | own
        sent = {name: value for name, value in sent.items() if name in ("method", "url", "params", "json", "data")}
        content = sent.pop("data", None)
        answer = await self.client.http.request(
            **sent, **({"content": content} if content is not None else {}), headers=headers
        )
        assert answer.status_code != 401, "what is behind the door is to be tested, not the door"
        case.validate_response(answer, checks=CHECKS)
        declared = case.operation.definition.raw["responses"][str(answer.status_code)]
        assert set(answer.headers) - NEVER_DECLARED <= {name.lower() for name in declared.get("headers", {})}
        if answer.headers["content-type"] == PROBLEM:
            shown = declared["content"][PROBLEM]["examples"]
            assert answer.json()["code"] in shown, "the page shows other refusals than it gives"
        return answer.status_code


def _place_existing(body: Any, existing: dict[str, Any]) -> Any:
    """Put what exists in its places in a body, however deep."""
    if isinstance(body, list):
        return [_place_existing(part, existing) for part in body]
    if isinstance(body, dict):
        return {
            name: existing[name] if name in existing else _place_existing(part, existing) for name, part in body.items()
        }
    return body


async def _invoicing(world: World) -> dict[str, list[Any]]:
    owner = (await world.client.create("/v1/accounts", account()))["id"]
    issued = [(await world.client.create("/v1/invoices", invoice(owner, 10**9, 500)))["id"] for _ in range(24)]
    paid = [
        (await world.client.create("/v1/payments", {"account_id": owner, "amount": eur(9)}))["id"] for _ in range(3)
    ]
    payments = [Paid("nobody knows", 100 + n) for n in range(40)]
    first_import = await import_statement(world.client, build_camt_statement(payments))
    repeats = (await import_statement(world.client, build_camt_statement(payments, day="2026-03-31")))["repeats"]
    waiting = [item["id"] for item in (await world.client.got("/v1/bank-entries", state="unmatched"))["items"]]
    rich = await _with_cash(world.client)
    ids = {"account_id": [owner, *rich["account_id"]], "payment_id": paid + rich["payment_id"]}
    ids["invoice_id"] = issued + rich["invoice_id"] * 8
    await world.client.http.put("/v1/bank-mappings/sparkasse", json=MAPPING, headers=world.client.headers)
    # A mapping says its currency, or in which column it is, and dates as few generators would.
    ids |= {"bank_account": [IBAN], "entry_id": waiting, "name": ["sparkasse"], "date_format": ["%d.%m.%Y"]}
    ids |= {"fixed_currency": [None], "sign": [None], "repeat_id": [repeat["id"] for repeat in repeats]}
    ids |= {"import_id": [first_import["id"]]}
    # Small amounts, so that no payment leaves nothing to be reserved.
    ids |= {"line": [1], "amount_minor": [100]} | await _second_person(world.client, issued[0])
    ids |= await _disputes(world.client) | await _contact_persons(world.client, ids["account_id"])
    ids |= await _documents(world, owner, issued) | await _charge_back(world.client, rich["payment_id"])
    return ids | await _billing(world, owner) | await _vendor(world.client)


async def _with_cash(client: Client) -> dict[str, list[Any]]:
    """An account with unapplied cash, since its invoice is disputed."""
    rich = (await client.create("/v1/accounts", account()))["id"]
    disputed = (await client.create("/v1/invoices", invoice(rich, 10**6)))["id"]
    reserve = {"dispute_id": str(uuid4()), "invoice_id": disputed, "lines": [{"line": 1, "amount_minor": 10**6}]}
    await client.create("/v1/reservations", reserve)
    paid = [(await client.create("/v1/payments", {"account_id": rich, "amount": eur(10**5)}))["id"] for _ in range(20)]
    return {"account_id": [rich], "invoice_id": [disputed], "payment_id": paid}


async def _charge_back(client: Client, payments: list[str]) -> dict[str, list[Any]]:
    """Chargebacks of these payments, enough of them to win and to lose some."""
    days = {"booked_on": "2026-03-02", "answer_by": "2026-03-20"}
    bodies = [
        {"payment_id": payment, "amount": eur(10), "network_reference": f"{payment} {n}", "reason_code": "fraud"} | days
        for payment in payments
        for n in range(3)
    ]
    dates = {name: [day] for name, day in days.items()}
    return dates | {"chargeback_id": [(await client.create("/v1/chargebacks", body))["id"] for body in bodies]}


async def _contact_persons(client: Client, accounts: list[str]) -> dict[str, list[Any]]:
    """Contact persons of these accounts, enough of them to change, end and erase some."""
    person = {"role": "technical", "name": "A. Person", "email": "person@example.org", "valid_from": "2026-03-02"}
    paths = [f"/v1/accounts/{account_id}/contact-persons" for account_id in accounts]
    persons = [(await client.create(path, person))["id"] for path in paths for _ in range(12)]
    dates = {"valid_from": ["2026-03-02"], "valid_to": ["2027-03-01"], "valid_on": ["2026-03-02"]}
    return dates | {"contact_person_id": persons, "channel": ["email"], "email": [person["email"]], "phone": [None]}


async def _disputes(client: Client) -> dict[str, list[Any]]:
    """Disputes that whoever may credit 1.00 may uphold, and enough of them to release some."""
    owner = (await client.create("/v1/accounts", account()))["id"]
    issued = (await client.create("/v1/invoices", invoice(owner, 10**6)))["id"]
    disputes = [str(uuid4()) for _ in range(60)]
    for dispute_id in disputes:
        small = {"dispute_id": dispute_id, "invoice_id": issued, "lines": [{"line": 1, "amount_minor": 100}]}
        await client.create("/v1/reservations", small)
    unheard = [str(uuid4()) for _ in disputes[:20]]
    return {"dispute_id": disputes + unheard, "roles": [["operator"]]}


async def _second_person(client: Client, invoice_id: str) -> dict[str, list[Any]]:
    """Propose as somebody else, send debits, and say who may decide up to what."""
    limit = {"amount_minor": 10**6, "reason": "the board"}
    await put_by_two(client.somebody(), "/v1/approval-limits/operator/EUR", limit)
    credit = {"invoice_id": invoice_id, "lines": [{"line": 1, "amount_minor": 100}], "reason_code": "goodwill"}
    somebody = client.somebody()
    owner = (await client.got(f"/v1/invoices/{invoice_id}"))["account_id"]
    lined = {"invoice_id": (await client.create("/v1/invoices", invoice(owner, *[100] * 60)))["id"], "reason": "late"}
    proposed = [
        await somebody.create("/v1/credit-notes", credit | lined | {"lines": [{"line": line, "amount_minor": 100}]})
        for line in range(1, 61)
    ]
    debits = [
        await client.create("/v1/debits", {"invoice_id": invoice_id, "amount": eur(10), "reference": f"DD-{n}"})
        for n in range(40)
    ]
    issued = await client.create("/v1/credit-notes", credit | {"reason": "late"})
    raised = [
        await somebody.http.put(f"/v1/approval-limits/role-{n}/EUR", json=limit, headers=somebody.headers)
        for n in range(60)
    ]
    return {
        "approval_id": [proposal["id"] for proposal in proposed],
        "setting_change_id": [answer.json()["id"] for answer in raised],
        "debit_id": [debit["id"] for debit in debits],
        "credit_note_id": [issued["credit_note_id"]],
        "role": ["technical", "billing"],
        "legal_entity": ["GS-DE"],
        "number": [(await client.got(f"/v1/invoices/{invoice_id}"))["number"]],
    }


async def _documents(world: World, owner: str, issued: list[str]) -> dict[str, list[Any]]:
    """Who documents are from, and two credit notes; one of them and invoices are to be sent."""
    papers = Papers(world.runtime, world.client, world.database, world.hop)
    calendar = build_calendar()
    assert (await put_calendar(world.client, calendar)).status_code == 200
    assert (await papers.seller(sends_documents=False)).status_code == 200
    notes = [await papers.credit(owner, issued[0], 10**8) for _ in range(2)]
    for path in (*(f"invoices/{invoice_id}" for invoice_id in issued[1:17]), f"credit-notes/{notes[0]}"):
        await world.client.create(f"/v1/{path}/delivery:resend", {"reason": "asked for"})
    return {
        "credit_note_id": notes,
        "code": ["GS-DE"],
        "subdivision": [None],
        "hours": [calendar["hours"]],
        "extra_open_days": [[]],
        "extra_closed_days": [[]],
        "from": ["2026-03-01"],
        "to": ["2026-03-31"],
        "iban": [SELLER["iban"]],
        "language": ["de-CH"],
    }


async def _billing(world: World, owner: str) -> dict[str, list[Any]]:
    """A plan, a subscription of it with something scheduled, and runs whose drafts wait for somebody."""
    billing = Billing(world.runtime, world.client, world.database)
    plan = await billing.plan()
    bought = await billing.buy(plan, owner, start="2026-03-01")
    kinds: tuple[dict[str, Any], ...] = ({"kind": "quantity", "quantity": 3}, {"kind": "plan", "plan_id": plan})
    scheduled = [
        (await billing.change(bought, when="renewal", **change))["id"] for change in (*kinds, {"kind": "cancel"})
    ]
    runs = [(await billing.run(at_once=False))["id"] for _ in range(40)]
    return {
        "plan_id": [plan],
        "subscription_id": [bought],
        "co_terminate_with": [None],
        "change_id": scheduled,
        "run_id": runs,
        "run_date": ["2026-03-02"],
        "effective_from": [f"{year}-01-01" for year in range(2027, 2060)],
        "prices": [{"EUR": {"unit_price_minor": 1008, "setup_minor": 0}}],
        "country": ["DE"],
        "usage_file": [usage_files_as_csv([usage_line(bought)]).decode()],
        "source": ["meters"],
        "in": ["EUR"],
        "base": ["EUR"],
        "date": ["2026-03-02"],
        "rates": [[{"quote": "USD", "rate": "1.0843"}]],
    }


async def _vendor(client: Client) -> dict[str, list[Any]]:
    """Invoices of the vendor's; to all but three of them a file was sent, whose one line no customer is known for."""
    invoices = [(await client.create("/v1/vendor-invoices", vendor_invoice(100)))["id"] for _ in range(24)]
    file = as_csv([BilledLine("vendor-9", subtotal=100)])
    for vendor_invoice_id in invoices[3:]:
        path = f"/v1/vendor-invoices/{vendor_invoice_id}/reconciliation"
        sent = await client.http.put(path, content=file, headers=client.headers | {"content-type": "text/csv"})
        assert sent.status_code == 201, sent.text
    differences = [item["id"] for item in (await client.got("/v1/vendor-differences"))["items"]]
    return {"vendor_invoice_id": invoices, "difference_id": differences, "file": [file.decode()]}


async def _collections(world: World) -> dict[str, list[Any]]:
    """Three accounts with a suspension requested, and three whose notice the mail server refused."""
    made = await publish(world.client, STANDARD)
    late, lost = [[replace(world, account_id=uuid4(), subscription_id=uuid4()) for _ in range(3)] for _ in range(2)]
    for own_world in (*late, *lost):
        await own_world.hear(build_registered(own_world.account_id))
    issued = [await own_world.issue() for own_world in late]
    await world.day(1, 0)
    for own_world, invoice_id in zip(late, issued, strict=True):
        await own_world.overdue(invoice_id)
    for day in (1, 14, 21):
        await world.day(day)
    world.hop.answer = "550 no such mailbox"
    for own_world in lost:
        await own_world.overdue(await own_world.issue())
    await world.day(22)
    standings = [await own_world.standing() for own_world in (*late, *lost)]
    wanted = {"suspensions_per_hour": 2000, "share_of_accounts_percent": 100, "reason": "a quiet year"}
    proposal = await world.client.somebody().create("/v1/guard:set-limits", wanted)
    return {
        "guard_limit_change_id": [proposal["id"]],
        "account_id": [str(own_world.account_id) for own_world in (*late, *lost)],
        "invoice_id": [str(invoice_id) for invoice_id in issued],
        "suspension_id": [suspension["id"] for standing in standings for suspension in standing["suspensions"]],
        "notice_id": [
            notice["id"]
            for standing in standings
            for notice in standing["notices"]
            if notice["state"] in ("failed", "sent")
        ],
        "version": [made["version"]],
        "document": [STANDARD],
    }


async def _entitlements(world: World) -> dict[str, list[Any]]:
    bought = build_activated(uuid4(), uuid4())
    await hear(world.runtime, bought)
    hold = {"subscription_id": str(bought.subscription_id), "reason": "admin", "owner": "operator"}
    hold_ids = [(await world.client.create("/v1/holds", hold))["hold_id"] for _ in range(12)]
    return {"account_id": [str(bought.account_id)], "subscription_id": [hold["subscription_id"]], "hold_id": hold_ids}


async def _open_cases(client: Client, case: dict[str, str], target_id: str) -> list[str]:
    """Open cases with links, and technical ones; their ids."""
    links = [{"kind": kind, "target_id": target_id} for kind in get_args(LinkKind)]
    opened = [(await client.create("/v1/cases", case | {"links": links}))["id"] for _ in range(40)]
    technical = case | {"kind": "technical", "severity": "B"}
    return opened + [(await client.create("/v1/cases", technical))["id"] for _ in range(20)]


async def _escalation(world: World) -> dict[str, list[Any]]:
    owner, issued = str(uuid4()), str(uuid4())
    world.runtime.clients._clients["invoicing"] = Door(owner)  # type: ignore[assignment]
    disputes = await _dispute_often(world.client, owner, issued)
    await hear(world.runtime, build_registered(UUID(owner)))
    case = {"kind": "billing_question", "account_id": owner, "subject": "What is line 3?"}
    target_id = str(uuid4())
    opened = await _open_cases(world.client, case, target_id)
    return (
        await _tickets(world, owner)
        | await _charge_cases(world, owner)
        | {"entry_id": await _refuse_messages(world, opened)}
        | await _correspond(world.client, opened)
        | {
            "account_id": [owner],
            "contact_person_id": [str(uuid4())],
            "addresses": [["stranger@elsewhere.example"]],
            "address": ["stranger@elsewhere.example"],
            "resource_id": await _keep_resources(world.client),
            "file": [""],
            "resource_file": ["reference,kind,title,content,language\nkb-9,solution,Mail,Check,en\n"],
            "invoice_id": [issued],
            "dispute_id": disputes,
            "type_code": ["duplicate_order"],
            "code": ["order", "other_order"],
            "service_credit_id": await _open_credits(world, owner),
            "vendor_invoice_id": [str(VENDOR_INVOICE)],
            "vendor_dispute_id": await _contest(world.client),
            "items": [[CONTESTED]],
            "accepted_minor": [100],
            "difference_id": [str(difference_id) for difference_id in CREDITED_DIFFERENCES],
            "reason_code": ["price"],
            "amount_minor": [700],
            "case_id": opened,
            "into_case_id": [(await world.client.create("/v1/cases", case))["id"]],
            "target_id": [target_id],
        }
    )


async def _charge_cases(world: World, owner: str) -> dict[str, list[Any]]:
    """A chargeback whose case has a file."""
    opened = charged_back(UUID(owner))
    await hear(world.runtime, opened, sequence=2)
    (case,) = (await world.client.got("/v1/cases", linked_to=str(opened.chargeback_id)))["items"]
    headers = world.client.headers | {"content-type": "application/octet-stream", "idempotency-key": "evidence"}
    path = f"/v1/cases/{case['id']}/attachments?name=order.txt"
    file = await world.client.http.post(path, content=b"an order", headers=headers)
    return {
        "chargeback_id": [str(opened.chargeback_id)],
        "attachment_ids": [[], [file.json()["id"]]],
        "submitted_at": [None],
    }


async def _ask_distributor(world: World, count: int) -> list[str]:
    """Tickets of an account whose legal entity has a distributor; the ids."""
    owner, channel = uuid4(), CHANNEL | {"kind": "distributor", "distributor_email": "support@distributor.example"}
    await hear(world.runtime, build_registered(owner, legal_entity="GS-AT"))
    client = world.client
    put = await client.http.put("/v1/vendor-channels/GS-AT", json=channel, headers=client.headers)
    assert put.status_code == 200
    case = await client.create("/v1/cases", {"kind": "fraud", "account_id": str(owner), "subject": "theft"})
    ticket = {"title": "theft", "description": "seats that nobody ordered"}
    return [(await client.create(f"/v1/cases/{case['id']}/vendor-tickets", ticket))["id"] for _ in range(count)]


async def _tickets(world: World, owner: str) -> dict[str, list[Any]]:
    """Tickets in each status, each of a case of fraud, which needs nothing before."""
    client = world.client
    put = await client.http.put("/v1/vendor-channels/GS-DE", json=CHANNEL, headers=client.headers)
    assert put.status_code == 200
    case = await client.create("/v1/cases", {"kind": "fraud", "account_id": owner, "subject": "theft"})
    ticket = {"title": "theft", "description": "seats that nobody ordered"}
    tickets = [(await client.create(f"/v1/cases/{case['id']}/vendor-tickets", ticket))["id"] for _ in range(60)]
    for number, ticket_id in enumerate(tickets[::3], 10**6):
        await client.create(f"/v1/vendor-tickets/{ticket_id}:submit", {"number": str(number)})
    for ticket_id in tickets[::6]:
        await client.create(f"/v1/vendor-tickets/{ticket_id}:record-status", {"status": "closed"})
    return {
        "ticket_id": tickets + await _ask_distributor(world, 40),
        "legal_entity": ["GS-DE"],
        "countries": [["DE"]],
        "entry_ids": [[]],
        "no_line_reason": ["price_list"],
        "title": ["Mail is late"],
        "contact_email": ["desk@goodstanding.example"],
        "distributor_email": [None, "support@distributor.example"],
    }


async def _keep_resources(client: Client) -> list[str]:
    """Keep a few support resources; the ids."""
    resource = {"kind": "solution", "title": "Mail flow", "content": "Check the records", "language": "en"}
    return [
        (await client.create("/v1/support-resources", resource | {"reference": f"kb-{number}"}))["id"]
        for number in range(3)
    ]


async def _correspond(client: Client, case_ids: list[str]) -> dict[str, list[Any]]:
    """Write notes into cases, and let mails and a file come in."""
    written = [(await client.create(f"/v1/cases/{case_id}/notes", {"content": "a note"}))["id"] for case_id in case_ids]
    headers = client.headers | {"content-type": "message/rfc822"}
    arrived = [
        await client.http.post(
            "/v1/inbound-mails", content=b"Subject: %d" % number, headers=headers | {"idempotency-key": str(number)}
        )
        for number in range(40)
    ]
    upload = {"content-type": "application/octet-stream", "idempotency-key": "file"}
    file = await client.http.post(
        f"/v1/cases/{case_ids[0]}/attachments?name=a.txt", content=b"text", headers=client.headers | upload
    )
    return {
        "attachment_id": [file.json()["id"]],
        "inbound_mail_id": [mail.json()["id"] for mail in arrived],
        "last_entry_id": written,
    }


async def _refuse_messages(world: World, case_ids: list[str]) -> list[str]:
    """Write a message in each of these cases, which the mail hop refuses; the ids, in the order of the cases."""
    message = {"content": "It is the set-up charge.", "about_outcome": False}
    written = [(await world.client.create(f"/v1/cases/{case_id}/messages", message))["id"] for case_id in case_ids]
    await world.database.execute(
        "UPDATE escalation.case_mails SET state = 'refused', code = '550', settled_at = queued_at"
    )
    return written


async def _open_credits(world: World, owner: str) -> list[str]:
    """Open service credits, of which all evidence is there and half were requested; the ids."""
    credits = tuple(
        VendorCredit(
            difference_id=difference_id, vendor_customer_id=None, vendor_subscription_id=None, amount_minor=100
        )
        for difference_id in CREDITED_DIFFERENCES
    )
    received = VendorCreditReceived(
        vendor_invoice_id=uuid4(), reconciliation_id=uuid4(), currency="EUR", credits=credits
    )
    await hear(world.runtime, received)
    for difference_id in CREDITED_DIFFERENCES[::2]:
        await world.client.create(f"/v1/vendor-credits/{difference_id}:set-aside", {"reason": "seats of our own"})
    body = {"account_id": owner, "type_code": "duplicate_order", "counts_since": "2026-03-01", "currency": "EUR"}
    opened = [
        (await world.client.create("/v1/service-credits", body | {"expected_minor": 100}))["id"] for _ in range(40)
    ]
    for number, service_credit_id in enumerate(opened):
        path = f"/v1/service-credits/{service_credit_id}"
        for code in ("order", "other_order"):
            await world.client.create(f"{path}/evidence", {"code": code, "content": "the order"})
        if number % 2:
            await world.client.create(f"{path}:request", {})
    return opened


async def _contest(client: Client) -> list[str]:
    """Contest a vendor invoice often; the ids."""
    contested = {"vendor_invoice_id": str(VENDOR_INVOICE), "currency": "EUR", "items": [CONTESTED]}
    body = contested | {"reason_code": "quantity", "reason": "never ordered"}
    return [(await client.create("/v1/vendor-disputes", body))["id"] for _ in range(40)]


async def _dispute_often(client: Client, owner: str, invoice_id: str) -> list[str]:
    """Dispute an invoice often, let somebody want to uphold most of it, and add questions; the ids."""
    lines = [{"line": 1, "amount_minor": 700}]
    dispute = {"account_id": owner, "invoice_id": invoice_id, "currency": "EUR", "lines": lines}
    disputes = [(await client.create("/v1/disputes", dispute))["id"] for _ in range(40)]
    for path in (f"/v1/disputes/{dispute_id}:uphold" for dispute_id in disputes[:24]):
        await client.somebody().create(path, {"reason": "billed in error"})
    return disputes + await _reject_often(client, dispute | {"invoice_id": str(uuid4())})


async def _reject_often(client: Client, dispute: dict[str, Any]) -> list[str]:
    """Let a line be disputed again that was rejected; the ids of these questions."""
    rejected = (await client.create("/v1/disputes", dispute))["id"]
    await client.create(f"/v1/disputes/{rejected}:reject", {"reason": "the seats were used"})
    return [(await client.create("/v1/disputes", dispute))["id"] for _ in range(20)]


async def _fail(unit: Unit) -> list[Any]:
    """Work that failed; the ids."""
    for number in range(12):
        await failed_work.keep_failed_work(
            unit, FailedWorkName(WorkKind.SWEEP, "steps"), f"subject {number}", None, ValueError()
        )
    return [str(failed.id) for failed in await failed_work.list_failed_work_items(unit, None, None, None, None, 20)]


def _shorten(schema: Any) -> Any:
    """Shorten the long texts of a document, which take a second each to compile, and drop the keys that are our own."""
    if isinstance(schema, list):
        return [_shorten(part) for part in schema if not _is_own_key(part)]
    if not isinstance(schema, dict):
        return schema
    shortened = {name: _shorten(part) for name, part in schema.items()}
    if "pattern" in schema and "maxLength" in schema:
        shortened["maxLength"] = min(schema["maxLength"], LONGEST_GENERATED)
    return shortened


def _is_own_key(part: object) -> bool:
    """Whether it declares the key of a request, of which each case gets a new one."""
    return isinstance(part, dict) and part.get("in") == "header" and part["name"].lower() == "idempotency-key"


SEEDS = {
    "invoicing": _invoicing,
    "collections": _collections,
    "entitlements": _entitlements,
    "escalation": _escalation,
}


@pytest.fixture(params=NAMES)
async def edge(
    request: pytest.FixtureRequest, database: Database, keys: SigningKeyPair, jwks_file: Path
) -> AsyncIterator[Edge]:
    hop, balances = Hop(), Invoicing()
    async with (
        mailbox(hop) as port,
        running(request.param, database, keys, jwks_file, smtp_port=port) as (runtime, client),
    ):
        document = (await client.http.get("/openapi.json")).json()
        short = _shorten(document)
        operations = [result.ok() for result in openapi.from_dict(short).get_all_operations()]  # type: ignore[union-attr]
        runtime.clients._clients["invoicing"] = balances  # type: ignore[assignment]
        seeded = await SEEDS[request.param](World(runtime, client, database, hop, balances))
        seeded["failed_work_id"] = await runtime.units.run(_fail)
        seeded["work"] = ["steps"]
        entries = await database.rows(f"SELECT id FROM {request.param}.audit_entries LIMIT 3")
        seeded["audit_entry_id"] = [str(row["id"]) for row in entries]
        yield Edge(request.param, client, database, operations, seeded, document)


def generate_cases(
    strategies: Mapping[GenerationMode, st.SearchStrategy[Case[Any]]], seeded: dict[str, list[Any]], turn: int
) -> list[tuple[Case[Any], dict[str, Any]]]:
    """Generate as many cases of an operation as each gets, with what is to be placed in them.

    The first is always the simplest that is valid, with what exists; by its turn each has its own of what it uses up.
    """
    cases: list[tuple[Case[Any], dict[str, Any]]] = []
    placed = COMMON | {
        name: values[turn % len(values) :] + values[: turn % len(values)] for name, values in seeded.items()
    }

    @settings(
        max_examples=EACH,
        derandomize=False,  # another round is another try
        phases=[Phase.generate],
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(drawing=st.data())
    def collect(drawing: st.DataObject) -> None:
        case = drawing.draw(strategies[drawing.draw(BOTH)])
        seed = drawing.draw(st.integers(0, 2**32))
        places = Random(seed)
        # One draw for all of them: there are a hundred names, of which a case has a few.
        existing = {name: values[places.randrange(len(values)) if seed else 0] for name, values in placed.items()}
        cases.append((case, existing if drawing.draw(HIT) else {}))

    collect()
    return cases


def actions_of(service: str) -> dict[tuple[str, str], str]:
    """The action of each operation that changes something, by method and path."""
    return {
        (name.partition(" ")[0], route.path_format): declared.action
        for name, route in routes(load_service(service).routers).items()
        for declared in list_actions(route)
    }


async def test_every_answer_is_declared_and_every_change_leaves_an_entry(edge: Edge) -> None:
    unreached = set()
    actions = actions_of(edge.service)
    for turn, operation in enumerate(edge.operations):
        action = [actions[key] for key in [(operation.method.upper(), operation.path)] if key in actions]
        strategies = {mode: operation.as_strategy(mode) for mode in GenerationMode}
        for _ in range(FEW_ROUNDS if operation.path in NEEDS_MORE else ROUNDS):
            answers = [
                await edge.check(case, existing) for case, existing in generate_cases(strategies, edge.seeded, turn)
            ]
            if any(200 <= status < 300 for status in answers) and not await edge.without_entry(action):
                break
        else:
            unreached.add(operation.path)
    assert unreached <= NEEDS_MORE, "a seed is missing, or an entry: what is behind the refusals is to be tested too"
    assert await edge.without_entry(["nothing.done", *actions.values()]) <= {"nothing.done", *MAY_BE_MISSING}
    assert "nothing.done" in await edge.without_entry(["nothing.done"])
    assert await edge.list_leaks() <= OUR_OWN_NAMES.keys(), "what people write stays in the service that they tell it"
