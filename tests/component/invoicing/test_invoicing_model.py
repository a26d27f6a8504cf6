"""Invoicing over REST against a model: whatever is asked, how often, and by how many at once."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deploy.local.tokens import SigningKeyPair
from tests.builders import Client, Database, account, running
from tests.component.invoicing_commands import NOBODY, Command, Owed, Verdict, World

COMMANDS = st.builds(
    Command,
    kind=st.sampled_from([*["issue", "pay", "reserve"] * 2, "pay", "reverse", "charge", "charge", "win", "lose"]),
    amounts=st.lists(st.integers(1, 25), min_size=1, max_size=3).map(tuple),
    pick=st.integers(0, 5),
    wrong=st.sampled_from([""] * 12 + ["currency", "account", "zero", "field"]),
)
STEPS = st.one_of(
    st.tuples(st.just("one"), COMMANDS),
    st.tuples(st.just("one"), COMMANDS),
    st.tuples(st.just("pair"), COMMANDS, COMMANDS),
    st.tuples(st.just("twice at once"), COMMANDS),
    st.tuples(st.just("again"), st.integers(0, 50)),
    st.tuples(st.just("other body"), st.integers(0, 50)),
)
OTHER: dict[str, dict[str, Any]] = {
    "issue": {"external_reference": "another"},
    "pay": {"reference": "another"},
    "reverse": {"reason": "another"},
    "reserve": {"lines": [{"line": 500, "amount_minor": 1}]},
    "charge": {"reason_code": "fraud"},
    "win": {"reason": "another"},
    "lose": {"reason": "another"},
}
"""What makes another body of it, as valid as the first."""
UNAPPLIED = "SELECT id, unapplied_minor FROM invoicing.payments WHERE account_id = $1 AND state = 'received'"
EVENTS = """
SELECT type, (headers::jsonb ->> 'ce_sequence')::int AS sequence
FROM invoicing.outbox WHERE subject = $1::text ORDER BY position
"""
FACTS = {
    "issue": "InvoiceIssued",
    "pay": "PaymentReceived",
    "reverse": "PaymentReversed",
    "charge": "ChargebackOpened",
    "win": "ChargebackWon",
    "lose": "ChargebackLost",
}


@dataclass
class Run:
    """One account under a sequence of steps."""

    client: Client
    database: Database
    world: World
    sent: list[Command] = field(default_factory=list)
    accepted: dict[str, bytes] = field(default_factory=dict)
    """The answers of what succeeded, by key."""

    async def send(self, command: Command) -> httpx2.Response:
        """Ask; no answer is a 5xx."""
        answer = await self.client.post(command.path, command.body, key=command.key)
        assert answer.status_code < 500, answer.text
        return answer

    async def one(self, command: Command) -> None:
        """One command by itself."""
        addressed = self.world.address_command(command)
        self.sent.append(addressed)
        await self.settle(addressed, await self.send(addressed))

    async def settle(self, command: Command, answer: httpx2.Response) -> None:
        """The answer is what the model says; then the model does it too."""
        assert verdict_of(answer) in self.world.verdicts(command), command
        self.take(command, answer)

    def take(self, command: Command, answer: httpx2.Response) -> None:
        """Keep a success, and let the model do it."""
        if answer.status_code < 300:
            self.world.apply_command(command, answer.json())
            self.accepted[command.key] = answer.content

    async def twice_at_once(self, command: Command) -> None:
        """Send the same request for two callers who do not know of each other: one effect, one answer."""
        addressed = self.world.address_command(command)
        self.sent.append(addressed)
        first, second = await asyncio.gather(self.send(addressed), self.send(addressed))
        assert (first.status_code, first.content) == (second.status_code, second.content)
        await self.settle(addressed, first)

    async def again(self, place: int) -> None:
        """A request of before: what succeeded is answered as then and changes nothing, the rest is judged anew."""
        if self.sent:
            command = self.sent[place % len(self.sent)]
            answer = await self.send(command)
            if command.key in self.accepted:
                assert answer.content == self.accepted[command.key]
                assert answer.headers["idempotency-replayed"] == "true"
            else:
                await self.settle(command, answer)

    async def other_body(self, place: int) -> None:
        """The key of a success with another body."""
        if self.accepted:
            used = [command for command in self.sent if command.key in self.accepted]
            command = used[place % len(used)]
            answer = await self.client.post(command.path, command.body | OTHER[command.kind], key=command.key)
            assert verdict_of(answer) == (422, "idempotency_key_reused")

    async def pair(self, first: Command, second: Command) -> None:
        """Two at once: the answers and what is owed afterwards are those of one order or of the other."""
        both = [self.world.address_command(first), self.world.address_command(second)]
        self.sent += both
        answers = await asyncio.gather(*map(self.send, both))
        exchanges = list(zip(both, answers, strict=True))
        orders = [exchanges, exchanges[::-1]]
        if [command.kind for command in both] == ["pay", "pay"] and all(
            answer.status_code == 201 for answer in answers
        ):
            orders = [
                sorted(exchanges, key=lambda pair: str(pair[1].json()["id"]))
            ]  # ids are in the order of the payments
        owed = await self.read_owed()
        for order in orders:
            attempt = Run(self.client, self.database, deepcopy(self.world))
            if attempt.explains(order) and attempt.world.compute_owed() == owed:
                self.world = attempt.world
                self.accepted |= attempt.accepted
                return
        raise AssertionError(f"no order of {both} explains {[answer.text for answer in answers]}, and {owed}")

    def explains(self, order: list[tuple[Command, httpx2.Response]]) -> bool:
        """Whether the model answers like that if it is asked in this order."""
        for command, answer in order:
            if verdict_of(answer) not in self.world.verdicts(command):
                return False
            self.take(command, answer)
        return True

    async def read_owed(self) -> Owed:
        """Read what invoicing says is open and disputed of each line, and what the database has as unapplied."""
        listed = await self.client.got("/v1/invoices", account_id=self.world.account, limit=500)
        ids = [item["id"] for item in listed["items"]]
        answer = await self.client.http.post(
            "/v1/balances:batch", json={"invoice_ids": ids or [NOBODY]}, headers=self.client.headers
        )
        lines = {
            balance["invoice_id"]: [(line["open_minor"], line["disputed_minor"]) for line in balance["lines"]]
            for balance in answer.json()["balances"]
        }
        rows = await self.database.rows(UNAPPLIED, self.world.account)
        return lines, {str(row["id"]): row["unapplied_minor"] for row in rows}

    async def check_announcements(self) -> None:
        """Check that the account's events have no gap, and that each success has its fact, once."""
        rows = await self.database.rows(EVENTS, self.world.account)
        assert [row["sequence"] for row in rows] == list(range(1, len(rows) + 1))
        facts = Counter(row["type"].split(".")[2] for row in rows)
        done = Counter(command.kind for command in self.sent if command.key in self.accepted)
        assert {fact: facts[fact] for fact in FACTS.values()} == {fact: done[kind] for kind, fact in FACTS.items()}


def verdict_of(answer: httpx2.Response) -> Verdict:
    """The status and the refusal's code."""
    return answer.status_code, "" if answer.status_code < 300 else answer.json()["code"]


@pytest.fixture
async def client(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[Client]:
    async with running("invoicing", database, keys, jwks_file) as (_, made):
        yield made


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, min_size=4, max_size=14))
async def test_whatever_is_asked_it_does_what_the_model_does(
    client: Client, database: Database, steps: list[tuple[Any, ...]]
) -> None:
    owner = (await client.create("/v1/accounts", account()))["id"]
    run = Run(client, database, World(owner))
    await run.one(Command("issue", (10, 15), 1))
    for name, *what in steps:
        await getattr(run, name.replace(" ", "_"))(*what)
        assert await run.read_owed() == run.world.compute_owed()
    await run.check_announcements()
