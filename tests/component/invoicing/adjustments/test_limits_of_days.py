"""Limits of roles hold for a day, by person and by account. `clerk` may give 50.00, `lead` 100.00.

Each boundary is tried at the limit and one minor unit above it, and each counter by fifty requests at once.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from deploy.local.tokens import SigningKeyPair
from shared.events.escalation import DisputeResolved
from shared.pure.actor_names import MAX_SUBJECT_CHARS
from tests.builders import Client, Database, account, eur, hear, invoice, running
from tests.component.relief_requests import build_credit, set_limit

LIMIT = 5_000
WHY = {"reason": "agreed"}
Service = tuple[Any, Client, Database]


@pytest.fixture
async def service(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[Service]:
    """Invoicing with limits of two roles, where refunds need no second person."""
    async with running("invoicing", database, keys, jwks_file) as (runtime, client):
        await set_limit(client, LIMIT, "clerk")
        await set_limit(client, 2 * LIMIT, "lead")
        rule = {"required": False, "reason": "one person"}
        await client.http.put("/v1/legal-entities/GS-DE/second-person", json=rule, headers=client.headers)
        yield runtime, client, database


@pytest.fixture
def client(service: Service) -> Client:
    """The client of that invoicing."""
    return service[1]


async def owe(client: Client, *amounts: int, **profile: Any) -> str:
    """Issue an invoice of these lines to a new account; its id."""
    owner = str((await client.create("/v1/accounts", account(**profile)))["id"])
    return str((await client.create("/v1/invoices", invoice(owner, *amounts or (100_000,))))["id"])


async def credit(client: Client, invoice_id: str, minor: int, line: int = 1) -> httpx2.Response:
    """Credit a line of an invoice."""
    return await client.post("/v1/credit-notes", build_credit(invoice_id, (line, minor)))


async def write_off(client: Client, invoice_id: str) -> httpx2.Response:
    """Write off what is open of an invoice."""
    return await client.post(
        "/v1/write-offs", {"invoice_id": invoice_id, "reason_code": "insolvency", "reason": "rest"}
    )


async def refund(client: Client, payer: Client, minor: int) -> httpx2.Response:
    """Pay back unapplied cash of a new account."""
    owner = str((await payer.create("/v1/accounts", account()))["id"])
    await payer.create("/v1/payments", {"account_id": owner, "amount": eur(minor)})
    body = {"account_id": owner, "amount": eur(minor), "reason_code": "overpayment", "reason": "by letter"}
    return await client.post("/v1/refunds", body)


async def reserve(client: Client, invoice_id: str, minor: int) -> str:
    """Reserve an amount of line 1 for a new dispute; the dispute's id."""
    dispute_id = str(uuid4())
    lines = [{"line": 1, "amount_minor": minor}]
    await client.create("/v1/reservations", {"dispute_id": dispute_id, "invoice_id": invoice_id, "lines": lines})
    return dispute_id


async def authorise(
    client: Client, dispute_id: str, minor: int, actor: str = "ann", outcome: str = "upheld", role: str = "clerk"
) -> httpx2.Response:
    """Ask whether a person may decide about a dispute."""
    question = {
        "actor": actor,
        "roles": [role],
        "outcome": outcome,
        "lines": [{"line": 1, "amount_minor": minor}],
    }
    return await client.post(f"/v1/reservations/{dispute_id}:authorise", question)


async def test_parts_of_all_kinds_count_together_up_to_the_limit_exactly(client: Client) -> None:
    ann = client.somebody("ann", "clerk")
    assert (await credit(ann, await owe(client), 1_000)).status_code == 201
    assert (await write_off(ann, await owe(client, 1_500))).status_code == 201
    assert (await refund(ann, client, 500)).status_code == 201
    disputed = await reserve(client, await owe(client), 1_200)
    assert (await authorise(client, disputed, 1_200, " ANN")).status_code == 200
    # 42.00 are given: 8.01 are one too many, 8.00 are not, and then nothing is left.
    assert (await credit(ann, await owe(client), 801)).status_code == 202
    assert (await credit(ann, await owe(client), 800)).status_code == 201
    assert (await credit(ann, await owe(client), 1)).status_code == 202
    assert (await write_off(ann, await owe(client, 1))).status_code == 202
    assert (await refund(ann, client, 1)).status_code == 202
    late = await authorise(client, await reserve(client, await owe(client), 1), 1)
    assert (late.status_code, late.json()["code"]) == (403, "above_limit")
    assert (await credit(client.somebody("bob", "clerk"), await owe(client), LIMIT)).status_code == 201


async def test_one_account_is_given_no_more_than_the_limit_by_several_persons(client: Client) -> None:
    issued = await owe(client, 10_000, 10_000, 10_000)
    assert (await credit(client.somebody("ann", "clerk"), issued, 3_000)).status_code == 201
    bob = client.somebody("bob", "clerk")
    assert (await credit(bob, issued, 2_001, line=2)).status_code == 202
    assert (await credit(bob, issued, 2_000, line=3)).status_code == 201
    # Whoever may give more is bound by their own limit: 50.00 of 100.00 are left to the lead.
    lead = client.somebody("lea", "lead")
    assert (await credit(lead, issued, 5_001)).status_code == 202
    (waiting, _) = (await client.got("/v1/approvals", state="proposed"))["items"]
    assert (await lead.post(f"/v1/approvals/{waiting['id']}:approve", WHY)).status_code == 200
    assert (await credit(lead, issued, 2_999, line=2)).status_code == 201


async def test_the_day_ends_at_midnight_utc(service: Service) -> None:
    _, client, database = service
    ann = client.somebody("ann", "clerk")
    await database.move(datetime(2026, 3, 2, 23, 59, 59, tzinfo=UTC))
    issued = await owe(client, 10_000, 10_000)
    assert (await credit(ann, issued, LIMIT)).status_code == 201
    assert (await credit(ann, await owe(client, time_zone="Pacific/Auckland"), 1)).status_code == 202
    await database.move(datetime(2026, 3, 3, tzinfo=UTC))
    assert (await credit(ann, issued, LIMIT)).status_code == 201
    assert (await credit(ann, await owe(client), 1)).status_code == 202


async def test_what_is_approved_counts_for_the_second_person_and_nothing_else_does(client: Client) -> None:
    ann, lea = client.somebody("ann", "clerk"), client.somebody("lea", "lead")
    proposed = [(await credit(ann, await owe(client), minor)).json()["id"] for minor in (5_001, 5_002, 4_999, 5_003)]
    assert [(await client.got(f"/v1/approvals/{approval_id}"))["state"] for approval_id in proposed] == [
        "proposed",
        "proposed",
        "carried_out",
        "proposed",
    ]
    assert (await ann.post(f"/v1/approvals/{proposed[1]}:withdraw", WHY)).status_code == 200
    assert (await lea.post(f"/v1/approvals/{proposed[3]}:decline", WHY)).status_code == 200
    assert (await lea.post(f"/v1/approvals/{proposed[0]}:approve", WHY)).status_code == 200
    # 49.99 count for Ann and 50.01 for the lead, who has 49.99 left.
    assert (await credit(ann, await owe(client), 1)).status_code == 201
    again = (await credit(ann, await owe(client), 5_000)).json()["id"]
    refused = await lea.post(f"/v1/approvals/{again}:approve", WHY)
    assert (refused.status_code, refused.json()["code"]) == (403, "above_limit")
    assert (await client.got(f"/v1/approvals/{again}"))["state"] == "proposed"
    fitting = (await credit(ann, await owe(client), 4_999)).json()["id"]
    assert (await lea.post(f"/v1/approvals/{fitting}:approve", WHY)).status_code == 200


async def test_currencies_are_never_added(client: Client) -> None:
    body = {"amount_minor": 300, "reason": "the board"}
    await client.http.put("/v1/approval-limits/clerk/CHF", json=body, headers=client.headers)
    ann = client.somebody("ann", "clerk")
    assert (await credit(ann, await owe(client), LIMIT)).status_code == 201
    owner = (await client.create("/v1/accounts", account(currency="CHF")))["id"]
    lines = [{"description": "ten seats", "amount": {"amount_minor": 1_000, "currency": "CHF"}}]
    issued = await client.create("/v1/invoices", {"account_id": owner, "lines": lines})
    assert (await credit(ann, issued["id"], 300)).status_code == 201


async def test_a_dispute_counts_once_for_the_last_who_decides_and_not_if_it_is_rejected(service: Service) -> None:
    runtime, client, _ = service
    ann = client.somebody("ann", "clerk")
    issued = await owe(client)
    owner = (await client.got(f"/v1/invoices/{issued}"))["account_id"]
    disputed = await reserve(client, issued, LIMIT)
    assert (await authorise(client, disputed, LIMIT, outcome="declined")).status_code == 200  # gives nothing
    for actor in ("ann", "Ann", "bob"):
        assert (await authorise(client, disputed, LIMIT, actor)).status_code == 200
    assert (await credit(ann, await owe(client), LIMIT)).status_code == 201
    assert (await credit(client.somebody("bob", "clerk"), await owe(client), 1)).status_code == 202
    fields = {"case_id": uuid4(), "account_id": owner, "dispute_id": disputed, "invoice_id": issued}
    lines = [{"line": 1, "amount_minor": LIMIT}]
    await hear(
        runtime, DisputeResolved.model_validate(fields | {"currency": "EUR", "lines": lines, "outcome": "rejected"})
    )
    assert (await credit(client.somebody("bob", "clerk"), issued, LIMIT)).status_code == 201


async def test_nobody_without_a_name_decides(client: Client) -> None:
    disputed = await reserve(client, await owe(client), 1)
    for outcome in ("upheld", "declined"):
        answer = await authorise(client, disputed, 1, "\u3000", outcome)
        assert answer.status_code == 422, answer.text


async def test_a_name_may_be_as_long_as_that_of_a_token(client: Client) -> None:
    disputed = await reserve(client, await owe(client), 1)
    assert (await authorise(client, disputed, 1, "a" * MAX_SUBJECT_CHARS)).status_code == 200
    assert (await authorise(client, disputed, 1, "a" * (MAX_SUBJECT_CHARS + 1))).status_code == 422


async def test_fifty_at_once_of_one_person_give_no_more_than_the_limit(client: Client) -> None:
    ann = client.somebody("ann", "clerk")
    issued = [await owe(client, 1_000) for _ in range(50)]
    requests = [
        credit(ann, invoice_id, 500) if place % 2 else write_off(ann, invoice_id)
        for place, invoice_id in enumerate(issued)
    ]
    answers = await asyncio.gather(*requests)
    amounts = [answer.json()["amount_minor"] for answer in answers if answer.status_code == 201]
    assert Counter(answer.status_code for answer in answers).keys() == {201, 202}
    # Less than the smaller of the two kinds is left.
    assert LIMIT - 500 < sum(amounts) <= LIMIT


async def test_fifty_persons_at_once_give_one_account_no_more_than_the_limit(client: Client) -> None:
    issued = await owe(client, *[1_000] * 50)
    persons = [client.somebody(f"clerk {number}", "clerk") for number in range(50)]
    answers = await asyncio.gather(*(credit(person, issued, 1_000, line) for line, person in enumerate(persons, 1)))
    assert Counter(answer.status_code for answer in answers) == {201: 5, 202: 45}


async def test_fifty_disputes_at_once_are_authorised_up_to_the_limit(client: Client) -> None:
    disputes = [await reserve(client, await owe(client), 1_000) for _ in range(50)]
    answers = await asyncio.gather(*(authorise(client, dispute_id, 1_000) for dispute_id in disputes))
    assert Counter(answer.status_code for answer in answers) == {200: 5, 403: 45}


async def test_fifty_refunds_at_once_are_paid_up_to_the_limit(client: Client) -> None:
    ann = client.somebody("ann", "clerk")
    answers = await asyncio.gather(*(refund(ann, client, 1_000) for _ in range(50)))
    assert Counter(answer.status_code for answer in answers) == {201: 5, 202: 45}


async def test_fifty_approvals_at_once_carry_out_up_to_the_limit_of_the_second_person(client: Client) -> None:
    nobody, lea = client.somebody("ann"), client.somebody("lea", "lead")
    proposed = [(await credit(nobody, await owe(client), 2_000)).json()["id"] for _ in range(50)]
    answers = await asyncio.gather(*(lea.post(f"/v1/approvals/{approval_id}:approve", WHY) for approval_id in proposed))
    assert Counter(answer.status_code for answer in answers) == {200: 5, 403: 45}


async def test_nobody_raises_the_limit_of_a_role_that_they_have(client: Client) -> None:
    path, body = "/v1/approval-limits/head/EUR", {"amount_minor": 5000, "reason": "the board"}
    head, administrator = client.somebody("anna", "clerk head"), client.somebody("root")
    first = await head.http.put(path, json=body, headers=head.headers)
    assert (first.status_code, first.json()["code"]) == (403, "own_limit"), "not even the first one"
    assert (await administrator.http.put(path, json=body, headers=administrator.headers)).status_code == 200
    for amount, status in ((5001, 403), (5000, 200), (4999, 200)):
        answer = await head.http.put(path, json=body | {"amount_minor": amount}, headers=head.headers)
        assert answer.status_code == status, f"{amount}: lowering one's own is no harm"
