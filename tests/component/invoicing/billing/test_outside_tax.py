"""Bill runs of a legal entity whose tax an outside calculator says: asked in no transaction, never guessed, once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from fastapi import Response
from fastapi.responses import JSONResponse

from deploy.local.tokens import SigningKeyPair
from services.invoicing.billing.repository.bill_chunk import BillChunk
from services.invoicing.billing.repository.outside_tax_queries import CALCULATE_TAX
from shared.base.retries import retry_briefly
from shared.process import intents
from shared.process.intents import Intent, IntentKind
from tests.builders import Database, running, sweep, work
from tests.component.billing_world import Billing
from tests.component.calculator import TaxCalculator, answering
from tests.component.documents_world import SELLER, text
from tests.component.setting_requests import put_by_two

OUTSIDE = SELLER | {"sends_documents": False, "country": "DE", "tax_calculator": "outside"}

TOTAL = {"currency": "EUR", "invoices": 1, "total_minor": 11_088, "credits": 0, "credited_minor": 0}


@dataclass
class Taxing(Billing):
    """Invoicing whose legal entity GS-OUT asks the calculator, and GS-DE has rates."""

    calculator: TaxCalculator
    plan_id: str = ""

    async def entity(self, code: str = "GS-OUT", etag: str | None = None, **more: Any) -> Any:
        headers = self.client.headers | ({"if-match": etag} if etag else {})
        return await self.client.http.put(f"/v1/legal-entities/{code}", json=OUTSIDE | more, headers=headers)

    async def owner(self, legal_entity: str = "GS-OUT", **more: Any) -> str:
        """An account that has bought ten seats for 100.80 a month."""
        made = await self.account(legal_entity=legal_entity, **more)
        await self.buy(self.plan_id, made)
        return made

    async def start_run(self, *, at_once: bool = False) -> dict[str, Any]:
        """Start a run and draw its accounts up; nobody is asked yet."""
        return await self.run(at_once=at_once)

    async def run_workers(self, run: dict[str, Any]) -> dict[str, Any]:
        """Let the workers ask, and do what follows from it."""
        await work(self.runtime)
        return await self.finish_run(run["id"])

    async def aside(self, run: dict[str, Any]) -> list[str]:
        """Why accounts of a run were set aside."""
        answer = await self.client.got(f"/v1/bill-runs/{run['id']}/set-aside")
        return [item["reason"] for item in answer["items"]]

    async def retry_run(self, run: dict[str, Any]) -> dict[str, Any]:
        """Try again who was set aside; return the run afterwards."""
        await self.client.create(f"/v1/bill-runs/{run['id']}:retry", {"reason": "mended"})
        await sweep(self.runtime)
        return await self.run_workers(run)

    async def approve_run(self, run: dict[str, Any]) -> dict[str, Any]:
        """Approve a run as a person; return the run afterwards."""
        await self.client.create(f"/v1/bill-runs/{run['id']}:approve", {"reason": "looks right"})
        return await self.finish_run(run["id"])

    async def change_account(self, owner: str, **more: Any) -> None:
        """Change an account, to where it lives or what it is to the tax office."""
        answer = await self.client.get(f"/v1/accounts/{owner}")
        names = ("name", "billing_email", "terms_days", "country", "tax_status", "tax_id")
        body = {name: answer.json()[name] for name in names} | more
        headers = self.client.headers | {"if-match": answer.headers["etag"]}
        patched = await self.client.http.patch(f"/v1/accounts/{owner}", json=body, headers=headers)
        assert patched.status_code == 200, patched.text

    async def intents_of(self) -> list[tuple[Any, ...]]:
        """State, attempts and last error of each intent."""
        rows = await self.database.rows("SELECT state, attempts, last_error FROM invoicing.intents ORDER BY created_at")
        return [tuple(row) for row in rows]

    async def left_over(self) -> int:
        """Charges that stand on a draft or are on an invoice."""
        return int(await self.database.value("SELECT count(*) FROM invoicing.charges WHERE invoice_id IS NOT NULL"))


@asynccontextmanager
async def taxing(
    database: Database, keys: SigningKeyPair, jwks_file: Path, calculator: TaxCalculator, **settings: Any
) -> AsyncIterator[Taxing]:
    async with running("invoicing", database, keys, jwks_file, **settings) as (runtime, client):
        made = Taxing(runtime, client, database, calculator)
        assert (await made.entity()).status_code == 200
        made.plan_id = await made.plan()
        yield made


@pytest.fixture
async def world(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[Taxing]:
    calculator = TaxCalculator()
    async with (
        answering(calculator) as url,
        taxing(database, keys, jwks_file, calculator, tax_calculator_url=url) as made,
    ):
        yield made


async def claim_intent(world: Taxing) -> tuple[IntentKind, Intent]:
    """Claim the one intent that is due, as a worker does."""
    (intent,) = await world.runtime.units.run(lambda unit: intents.claim_intents(unit, 10))
    assert intent.kind == CALCULATE_TAX
    return next(kind for kind in world.runtime.service.intents if kind.name == CALCULATE_TAX), intent


async def record_result(world: Taxing, kind: IntentKind, intent: Intent, result: Any) -> None:
    """Record a result as a worker does when it has an answer."""
    await world.runtime.units.run(lambda unit: intents.record_intent_result(unit, kind, intent, result))


async def test_drafts_are_taxed_by_the_calculator_and_wait_for_approval(world: Taxing) -> None:
    owner = await world.owner(country="FR", tax_id="FR40303265045")
    run = await world.start_run()
    assert (run["state"], run["accounts"], run["totals"]) == ("drafting", {"to_be_taxed": 1}, [])
    assert world.calculator.asked == []
    run = await world.run_workers(run)
    assert (run["state"], run["accounts"]) == ("drafted", {"drafted": 1})
    assert run["totals"] == [TOTAL]
    (asked,) = world.calculator.asked
    intent_id = await world.database.value("SELECT id FROM invoicing.intents")
    assert asked == {
        "request_id": str(intent_id),
        "purpose": "invoice",
        "legal_entity": "GS-OUT",
        "seller_country": "DE",
        "customer_country": "FR",
        "tax_status": "standard",
        "tax_id": "FR40303265045",
        "currency": "EUR",
        "date": "2026-03-02",
        "lines": [
            {
                "line": 1,
                "tax_class": "standard",
                "net_minor": 10_080,
                "description": "Business Premium, 2026-03-02 – 2026-04-01",
            }
        ],
    }
    assert world.calculator.headers[0]["idempotency-key"] == str(intent_id)
    assert "authorization" not in world.calculator.headers[0]
    assert await world.lines(owner) == []
    assert (await world.approve_run(run))["accounts"] == {"issued": 1}
    assert await world.lines(owner) == [(10_080, 1_008, 11_088)]
    assert (await world.trial_balance())["tax", "EUR"] == -1_008
    assert len(world.calculator.asked) == 1


async def test_at_once_is_issued_when_it_is_taxed(world: Taxing) -> None:
    owner = await world.owner()
    run = await world.start_run(at_once=True)
    assert (run["state"], run["accounts"]) == ("issuing", {"to_be_taxed": 1})
    assert await world.lines(owner) == []
    run = await world.run_workers(run)
    assert (run["state"], run["accounts"]) == ("done", {"issued": 1})
    assert run["totals"] == [TOTAL]
    assert await world.lines(owner) == [(10_080, 1_008, 11_088)]


@pytest.mark.parametrize("at_once", [True, False])
async def test_a_run_has_accounts_of_both_kinds(world: Taxing, at_once: bool) -> None:
    await world.rate()
    outside = [await world.owner() for _ in range(3)]
    by_rates = [await world.owner("GS-DE") for _ in range(2)]
    run = await world.start_run(at_once=at_once)
    assert run["accounts"] == {"to_be_taxed": 3, "issued" if at_once else "drafted": 2}
    assert run["state"] == ("issuing" if at_once else "drafting")
    run = await world.run_workers(run)
    run = run if at_once else await world.approve_run(run)
    assert (run["state"], run["accounts"]) == ("done", {"issued": 5})
    assert [await world.lines(owner) for owner in outside] == [[(10_080, 1_008, 11_088)]] * 3
    assert [await world.lines(owner) for owner in by_rates] == [[(10_080, 1_915, 11_995)]] * 2
    numbers = await world.database.rows("SELECT number FROM invoicing.invoices ORDER BY number")
    assert [row["number"] for row in numbers] == [
        *(f"GS-DE-0000000{n}" for n in (1, 2)),
        *(f"GS-OUT-0000000{n}" for n in (1, 2, 3)),
    ]
    assert len(world.calculator.asked) == 3


async def test_an_entity_that_has_rates_again_while_it_is_drawn_up_waits_for_no_answer(
    world: Taxing, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.rate(legal_entity="GS-OUT")
    owner = await world.owner()
    keep = BillChunk.keep_drafts

    async def keep_and_change_entity(chunk: BillChunk, state: str = "drafted", *, to_be_taxed: bool = False) -> None:
        await keep(chunk, state, to_be_taxed=to_be_taxed)
        await world.database.execute("UPDATE invoicing.legal_entities SET tax_calculator = 'rates'")

    monkeypatch.setattr(BillChunk, "keep_drafts", keep_and_change_entity)
    run = await world.start_run()
    assert (run["state"], run["accounts"], await world.intents_of()) == ("drafted", {"drafted": 1}, [])
    await world.approve_run(run)
    assert await world.lines(owner) == [(10_080, 1_915, 11_995)]


async def test_a_reversal_lowers_the_tax_too(world: Taxing) -> None:
    """With 12 seats instead of 10 from the second of 31 days on, all 30 days are taken back, and charged anew."""
    owner = await world.account(legal_entity="GS-OUT")
    subscription = await world.buy(world.plan_id, owner)
    await world.run_workers(await world.start_run(at_once=True))
    await world.to("2026-03-03")
    await world.change(subscription, "quantity", quantity=12)
    await world.run_workers(await world.start_run(at_once=True))
    after = [(-9_754, -975, None), (11_705, 1_170, 2_146)]
    assert await world.lines(owner) == [(10_080, 1_008, 11_088), *after]


CONFLICT = JSONResponse({"code": "unknown_tax_class", "detail": "no class\x00standard"}, 422)
LINE = {"line": 1, "tax_minor": 1_008, "rate_bp": 1_000}
BAD: list[tuple[Response | dict[str, Any], str]] = [
    (CONFLICT, "refused: the tax calculator answers 422: unknown_tax_class: no class standard"),
    (Response("no", 404), "refused: the tax calculator answers 404"),
    (Response(status_code=302, headers={"location": "/"}), "refused: the tax calculator answers 302"),
    (Response("{"), "refused: the tax calculator's answer is not understood: the body: Invalid JSON"),
    ({"lines": []}, "refused: the tax calculator's answer has line 1 0 times"),
    ({"lines": [LINE, LINE]}, "refused: the tax calculator's answer has line 1 2 times"),
    ({"lines": [LINE, LINE | {"line": 2}]}, "names line 2, which was not asked for"),
    ({"lines": [LINE | {"tax_minor": -1}]}, "has a tax of -1 on line 1, of the other sign than its net of 10080"),
    ({"lines": [LINE | {"tax_minor": 10_081}]}, "has a tax of 10081 on line 1, more than its net of 10080"),
    ({"lines": [LINE | {"tax_minor": 10.0}]}, "answer is not understood: lines.0.tax_minor: Input should be a valid"),
]


@pytest.mark.parametrize(("answer", "reason"), BAD)
async def test_who_is_refused_is_set_aside_and_the_others_go_on(
    world: Taxing, answer: Response | dict[str, Any], reason: str
) -> None:
    await world.rate()
    owner, other = await world.owner(), await world.owner("GS-DE")
    world.calculator.answers = [answer]
    run = await world.run_workers(await world.start_run(at_once=True))
    assert (run["state"], run["accounts"]) == ("done", {"issued": 1, "set_aside": 1})
    (aside_reason,) = await world.aside(run)
    assert reason in aside_reason
    assert await world.lines(owner) == []
    assert await world.left_over() == 1  # the other one's
    assert await world.database.value("SELECT count(*) FROM invoicing.drafts") == 0
    assert (await world.retry_run(run))["accounts"] == {"issued": 2}
    assert await world.lines(owner) == [(10_080, 1_008, 11_088)]
    assert len(await world.lines(other)) == 1
    first, second = world.calculator.request_ids
    assert first != second


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """One attempt at a time, so that the tests count those of the worker."""
    monkeypatch.setattr(
        "services.invoicing.billing.adapters.tax_calculator.retry_briefly", partial(retry_briefly, attempts=1)
    )


@pytest.mark.usefixtures("impatient")
async def test_without_an_answer_the_account_is_set_aside_after_some_attempts(world: Taxing) -> None:
    owner = await world.owner()
    world.calculator.always = Response("busy", 503)
    run = await world.start_run()
    for attempt, pause in enumerate((1, 5, 15), 1):
        run = await world.run_workers(run)
        assert (run["state"], run["accounts"]) == ("drafting", {"to_be_taxed": 1})
        assert await world.intents_of() == [("pending", attempt, "the tax calculator answers 503")]
        pending = await world.database.rows("SELECT kind, name FROM invoicing.pending_work WHERE kind <> 'outbox'")
        assert {tuple(row) for row in pending} >= {("intent", CALCULATE_TAX)}
        assert ("due", "finished_runs") not in {tuple(row) for row in pending}
        await world.database.move(minutes=pause)
    run = await world.run_workers(run)
    assert (run["state"], run["accounts"]) == ("drafted", {"set_aside": 1})
    assert await world.aside(run) == ["no answer: the tax calculator answers 503"]
    assert len(set(world.calculator.request_ids)) == 1
    assert len(world.calculator.asked) == 4
    world.calculator.always = None
    run = await world.retry_run(run)
    assert (run["state"], run["accounts"]) == ("drafted", {"drafted": 1})
    assert (await world.approve_run(run))["accounts"] == {"issued": 1}
    assert await world.lines(owner) == [(10_080, 1_008, 11_088)]


async def test_one_attempt_of_a_worker_is_some_quick_ones(world: Taxing) -> None:
    await world.owner()
    world.calculator.answers = [Response("busy", status) for status in (503, 429, 408)]
    run = await world.run_workers(await world.start_run())
    assert run["accounts"] == {"drafted": 1}
    assert len(world.calculator.asked) == 4
    assert len({str(body) for body in world.calculator.asked}) == 1


async def test_nobody_is_billed_while_no_calculator_is_set_up(
    database: Database, keys: SigningKeyPair, jwks_file: Path
) -> None:
    async with taxing(database, keys, jwks_file, TaxCalculator()) as world:
        await world.rate(legal_entity="GS-OUT")
        owner = await world.owner()
        run = await world.run_workers(await world.start_run(at_once=True))
        assert (run["state"], run["accounts"]) == ("done", {"set_aside": 1})
        assert await world.aside(run) == ["no tax calculator is set up"]
        preview = await world.client.got(f"/v1/accounts/{owner}/bill-preview", run_date="2026-03-02")
        assert (preview["lines"], preview["set_aside"]) == ([], "no tax calculator is set up")


async def test_nobody_answers_at_that_address(database: Database, keys: SigningKeyPair, jwks_file: Path) -> None:
    async with answering(TaxCalculator()) as gone:
        pass
    async with taxing(database, keys, jwks_file, TaxCalculator(), tax_calculator_url=gone) as world:
        owner = await world.owner()
        answer = await world.client.get(f"/v1/accounts/{owner}/bill-preview", run_date="2026-03-02")
        assert (answer.status_code, answer.json()["code"]) == (503, "tax_unavailable")
        assert int(answer.headers["retry-after"]) > 0
        await world.run_workers(await world.start_run())
        ((state, _, error),) = await world.intents_of()
        assert (state, error) == ("pending", "the tax calculator cannot be reached: ConnectError")


async def test_the_token_is_read_for_each_question(
    database: Database, keys: SigningKeyPair, jwks_file: Path, tmp_path: Path
) -> None:
    calculator, token = TaxCalculator(), tmp_path / "token"
    async with (
        answering(calculator) as url,
        taxing(database, keys, jwks_file, calculator, tax_calculator_url=url, tax_calculator_token_file=token) as world,
    ):
        await world.owner()
        run = await world.run_workers(await world.start_run())
        assert (await world.intents_of())[0][2] == "there is no token for the tax calculator"
        token.write_text("first\n")
        await world.database.move(minutes=1)
        assert (await world.run_workers(run))["accounts"] == {"drafted": 1}
        assert [headers["authorization"] for headers in calculator.headers] == ["Bearer first"]


async def test_a_worker_that_dies_before_it_records_asks_again_by_the_same_id(world: Taxing) -> None:
    owner = await world.owner()
    run = await world.start_run(at_once=True)
    kind, intent = await claim_intent(world)
    await kind.perform(world.runtime, intent)  # it is answered, and the process dies here
    await world.database.execute("UPDATE invoicing.intents SET leased_until = '2000-01-01'")
    run = await world.run_workers(run)
    assert run["accounts"] == {"issued": 1}
    assert len(world.calculator.asked) == 2
    assert world.calculator.asked[0] == world.calculator.asked[1]
    assert await world.lines(owner) == [(10_080, 1_008, 11_088)]
    assert await world.database.value("SELECT count(*) FROM invoicing.ledger_entries WHERE code = 'tax'") == 1


async def test_of_two_workers_with_an_answer_one_records_it(world: Taxing) -> None:
    owner = await world.owner()
    run = await world.start_run(at_once=True)
    kind, intent = await claim_intent(world)
    result = await kind.perform(world.runtime, intent)
    await asyncio.gather(*(record_result(world, kind, intent, result) for _ in range(2)))
    assert (await world.finish_run(run["id"]))["accounts"] == {"issued": 1}
    assert await world.lines(owner) == [(10_080, 1_008, 11_088)]


async def test_a_run_can_be_discarded_while_the_calculator_is_asked(world: Taxing) -> None:
    owner = await world.owner()
    run = await world.start_run()

    async def discard() -> None:
        await world.client.create(f"/v1/bill-runs/{run['id']}:discard", {"reason": "the price is wrong"})

    world.calculator.during = discard
    run = await world.run_workers(run)
    assert (run["state"], run["accounts"]) == ("discarded", {"nothing": 1})
    assert await world.intents_of() == [("done", 1, "given up")]
    assert await world.left_over() == 0
    for table in ("drafts", "draft_lines", "invoices"):
        assert await world.database.value(f"SELECT count(*) FROM invoicing.{table}") == 0
    again = await world.run_workers(await world.start_run(at_once=True))
    assert again["accounts"] == {"issued": 1}
    assert await world.lines(owner) == [(10_080, 1_008, 11_088)]


async def test_who_discards_waits_for_who_records(database: Database, keys: SigningKeyPair, jwks_file: Path) -> None:
    """Whoever records an answer holds the account's lock; while that is held, nothing of the run is given up."""
    calculator = TaxCalculator()
    async with (
        answering(calculator) as url,
        taxing(database, keys, jwks_file, calculator, tax_calculator_url=url, lock_timeout=0.1) as world,
    ):
        owner = await world.owner()
        run = await world.start_run()
        discard = f"/v1/bill-runs/{run['id']}:discard"
        async with database.connected() as other, other.transaction():
            await other.execute("SELECT FROM invoicing.streams WHERE subject = $1 FOR NO KEY UPDATE", owner)
            busy = await world.client.post(discard, {"reason": "the price is wrong"})
        assert (busy.status_code, busy.json()["code"]) == (503, "unavailable")
        assert await world.intents_of() == [("pending", 0, None)]
        await world.client.create(discard, {"reason": "the price is wrong"})
        assert await world.intents_of() == [("done", 0, "given up")]


async def test_an_answer_that_comes_after_the_end_of_a_run_has_no_effect(world: Taxing) -> None:
    """One worker's answer is held up; the intent's lease runs out, another is refused, and a person discards."""
    await world.owner()
    run = await world.start_run()
    kind, intent = await claim_intent(world)
    held_up = await kind.perform(world.runtime, intent)
    await world.database.execute("UPDATE invoicing.intents SET leased_until = '2000-01-01'")
    world.calculator.answers = [CONFLICT]
    assert (await world.run_workers(run))["accounts"] == {"set_aside": 1}
    await world.client.create(f"/v1/bill-runs/{run['id']}:discard", {"reason": "the price is wrong"})
    await record_result(world, kind, intent, held_up)
    run = await world.finish_run(run["id"])
    assert (run["state"], run["accounts"]) == ("discarded", {"set_aside": 1})
    assert await world.database.value("SELECT count(*) FROM invoicing.drafts") == 0


async def test_a_run_that_still_drafts_is_not_discarded(world: Taxing) -> None:
    await world.owner()
    run = await world.client.create("/v1/bill-runs", {"run_date": "2026-03-02", "at_once": False})
    refused = await world.client.post(f"/v1/bill-runs/{run['id']}:discard", {"reason": "too early"})
    assert (refused.status_code, refused.json()["code"]) == (409, "move_refused")
    assert (await world.run_workers(await world.finish_run(run["id"])))["accounts"] == {"drafted": 1}


async def test_a_run_at_once_is_not_discarded_while_it_is_taxed(world: Taxing) -> None:
    await world.owner()
    run = await world.start_run(at_once=True)
    refused = await world.client.post(f"/v1/bill-runs/{run['id']}:discard", {"reason": "too early"})
    assert refused.json()["code"] == "move_refused"
    assert await world.intents_of() == [("pending", 0, None)]


async def test_who_is_another_to_the_tax_office_meanwhile_is_asked_about_anew(world: Taxing) -> None:
    owner = await world.owner()
    run = await world.start_run(at_once=True)

    async def move() -> None:
        await world.change_account(owner, country="FR")

    world.calculator.during = move
    run = await world.run_workers(run)
    assert (run["state"], run["accounts"]) == ("issuing", {"to_be_taxed": 1})
    assert await world.lines(owner) == []
    world.calculator.answers = [{"lines": [LINE | {"tax_minor": 2_016, "rate_bp": 2_000}]}]
    run = await world.run_workers(run)
    assert run["accounts"] == {"issued": 1}
    assert await world.lines(owner) == [(10_080, 2_016, 12_096)]
    assert [body["customer_country"] for body in world.calculator.asked] == ["DE", "FR"]


async def test_a_change_that_is_nothing_to_the_tax_office_asks_nobody_again(world: Taxing) -> None:
    owner = await world.owner()
    run = await world.start_run(at_once=True)
    await world.change_account(owner, name="Another name")
    assert (await world.run_workers(run))["accounts"] == {"issued": 1}
    assert len(world.calculator.asked) == 1


async def test_a_legal_entity_that_has_rates_again_is_taxed_by_them(world: Taxing) -> None:
    owner = await world.owner()
    run = await world.start_run(at_once=True)
    await world.rate(legal_entity="GS-OUT")
    assert (await world.entity(etag='"1"', tax_calculator="rates")).status_code == 200
    run = await world.run_workers(run)
    assert run["accounts"] == {"issued": 1}
    assert await world.lines(owner) == [(10_080, 1_915, 11_995)]


async def test_what_comes_to_nothing_with_its_tax_is_no_invoice(world: Taxing) -> None:
    """The reversal is taxed and the charge is not: 19.51 net less 19.51 is nothing."""
    owner = await world.account(legal_entity="GS-OUT")
    subscription = await world.buy(world.plan_id, owner)
    await world.run_workers(await world.start_run(at_once=True))
    await world.to("2026-03-03")
    await world.change(subscription, "quantity", quantity=12)
    tax_answer = {
        "lines": [{"line": 1, "tax_minor": -1_951, "rate_bp": None}, {"line": 2, "tax_minor": 0, "rate_bp": 0}]
    }
    world.calculator.answers = [tax_answer, tax_answer]
    preview = await world.client.got(f"/v1/accounts/{owner}/bill-preview", run_date="2026-03-03")
    assert (preview["lines"], preview["due_date"], preview["set_aside"]) == ([], None, None)
    run = await world.run_workers(await world.start_run(at_once=True))
    assert (run["state"], run["accounts"]) == ("done", {"nothing": 1})
    assert len(await world.lines(owner)) == 1
    assert (await world.run_workers(await world.start_run(at_once=True)))["accounts"] == {"issued": 1}
    assert len(await world.lines(owner)) == 3


@pytest.mark.parametrize("at_once", [True, False])
async def test_what_comes_to_less_than_nothing_with_its_tax_is_given_back(world: Taxing, at_once: bool) -> None:
    """The reversal is taxed and the charge is not: 19.51 net less 97.54 are 78.03 to be given back."""
    owner = await world.account(legal_entity="GS-OUT")
    subscription = await world.buy(world.plan_id, owner)
    await world.run_workers(await world.start_run(at_once=True))
    await world.to("2026-03-03")
    await world.change(subscription, "quantity", quantity=12)
    all_of_it = {"line": 1, "tax_minor": -9_754, "rate_bp": None}
    tax_answer = {"lines": [all_of_it, {"line": 2, "tax_minor": 0, "rate_bp": 0}]}
    world.calculator.answers = [tax_answer, tax_answer]
    preview = await world.client.got(f"/v1/accounts/{owner}/bill-preview", run_date="2026-03-03")
    assert (preview["total_minor"], preview["document_type"], preview["due_date"]) == (-7_803, "credit_notes", None)
    run = await world.run_workers(await world.start_run(at_once=at_once))
    if not at_once:
        assert (run["state"], run["accounts"]) == ("drafted", {"drafted": 1})
        run = await world.approve_run(run)
    assert (run["state"], run["accounts"]) == ("done", {"credited": 1})
    assert await world.database.value("SELECT sum(total_minor) FROM invoicing.credit_notes") == 7_803
    assert len(await world.lines(owner)) == 1
    assert (await world.start_run(at_once=True))["accounts"] == {}


async def test_what_is_less_than_nothing_before_its_tax_is_asked_about(world: Taxing) -> None:
    """Seats are given back: the tax of what is given back is the calculator's, too."""
    owner = await world.account(legal_entity="GS-OUT")
    subscription = await world.buy(world.plan_id, owner)
    await world.run_workers(await world.start_run(at_once=True))
    await world.to("2026-03-03")
    await world.change(subscription, "quantity", quantity=5)
    run = await world.run_workers(await world.start_run(at_once=True))
    assert run["accounts"] == {"credited": 1}
    reversed_, charged = world.calculator.asked[-1]["lines"]
    assert (reversed_["net_minor"], charged["net_minor"]) == (-9_754, 4_877)
    assert await world.database.value("SELECT sum(total_minor) FROM invoicing.credit_notes") == 5_365


async def test_an_account_that_is_to_be_taxed_is_in_no_other_run(world: Taxing) -> None:
    """Though it has bought something more since."""
    owner = await world.owner()
    run = await world.start_run()
    await world.buy(world.plan_id, owner)
    assert (await world.start_run(at_once=True))["accounts"] == {}
    assert (await world.run_workers(run))["accounts"] == {"drafted": 1}


async def test_a_preview_asks_for_the_tax_and_changes_nothing(world: Taxing) -> None:
    owner = await world.account(legal_entity="GS-OUT")
    subscription = await world.buy(world.plan_id, owner)
    await world.run_workers(await world.start_run(at_once=True))
    await world.to("2026-03-03")
    await world.change(subscription, "quantity", quantity=12)
    before = await everything(world)
    preview = await world.client.got(f"/v1/accounts/{owner}/bill-preview", run_date="2026-03-03")
    assert await everything(world) == before
    await work(world.runtime)
    assert [body["purpose"] for body in world.calculator.asked] == ["invoice", "preview"]
    await world.run_workers(await world.start_run(at_once=True))
    billed = (await world.lines(owner))[1:]
    lines = [(line["net_minor"], line["tax_minor"], line["collectable_minor"]) for line in preview["lines"]]
    assert lines == [(-9_754, -975, 0), (11_705, 1_170, 2_146)]
    assert billed == [(net, tax, paid or None) for net, tax, paid in lines]
    assert preview["total_minor"] == 2_146
    world.calculator.answers = [CONFLICT]
    await world.to("2026-04-02")
    preview = await world.client.got(f"/v1/accounts/{owner}/bill-preview", run_date="2026-04-02")
    assert (preview["lines"], preview["due_date"], preview["total_minor"]) == ([], None, 0)
    assert preview["set_aside"].startswith("refused: the tax calculator answers 422")


async def everything(world: Taxing) -> list[Any]:
    """List everything that a preview might have left behind."""
    tables = ("outbox", "charges", "drafts", "draft_lines", "bill_runs", "bill_run_accounts", "streams", "intents")
    return [await world.database.rows(f"SELECT * FROM invoicing.{table} ORDER BY 1, 2") for table in tables]


async def test_a_preview_has_no_tax_that_nobody_said(world: Taxing) -> None:
    owner = await world.owner()
    world.calculator.always = Response("busy", 503)
    answer = await world.client.get(f"/v1/accounts/{owner}/bill-preview", run_date="2026-03-02")
    assert (answer.status_code, answer.json()["code"]) == (503, "tax_unavailable")
    assert "retry-after" in answer.headers


async def test_a_line_and_its_document_say_whose_the_tax_is(world: Taxing) -> None:
    mixed = {"lines": [LINE | {"rate_bp": None}], "note": "Taxed where the customer <lives>."}
    owner = await world.owner()
    world.calculator.answers = [mixed]
    await world.run_workers(await world.start_run(at_once=True))
    (issued,) = (await world.client.got("/v1/invoices", account_id=owner))["items"]
    explanation = await world.client.got(f"/v1/invoices/{issued['id']}/lines/1/explanation")
    assert (explanation["tax_calculator"], explanation["tax_request_id"]) == (
        "outside",
        world.calculator.request_ids[0],
    )
    assert explanation["arithmetic"].endswith("= €100.80; tax €10.08, as the outside tax calculator says; €110.88")
    page = await world.client.http.get(
        f"/v1/invoices/{issued['id']}/document", headers=world.client.headers | {"accept": "application/pdf"}
    )
    assert page.status_code == 200, page.text
    shown = text(page.content)
    assert "VAT on €100.80 €10.08" in shown
    assert "Taxed where the customer <lives>." in shown


async def test_rates_say_that_they_are_rates(world: Taxing) -> None:
    await world.rate()
    owner = await world.owner("GS-DE")
    await world.start_run(at_once=True)
    (issued,) = (await world.client.got("/v1/invoices", account_id=owner))["items"]
    explanation = await world.client.got(f"/v1/invoices/{issued['id']}/lines/1/explanation")
    assert (explanation["tax_calculator"], explanation["tax_request_id"]) == ("rates", None)
    assert "calculator" not in explanation["arithmetic"]


async def test_a_credit_takes_back_the_tax_that_the_calculator_said(world: Taxing) -> None:
    """Half of 110.88, of which half of 10.08 is tax, whatever rates there are."""
    await world.rate(legal_entity="GS-OUT")
    owner = await world.owner()
    await world.run_workers(await world.start_run(at_once=True))
    (issued,) = (await world.client.got("/v1/invoices", account_id=owner))["items"]
    limit = {"amount_minor": 100_000, "reason": "the board"}
    boss = world.client.somebody("boss", "boss")
    await put_by_two(world.client, "/v1/approval-limits/boss/EUR", limit)
    lines = [{"line": 1, "amount_minor": 5_544}]
    credit = {"invoice_id": issued["id"], "lines": lines, "reason_code": "goodwill", "reason": "late"}
    await boss.create("/v1/credit-notes", credit)
    assert (await world.trial_balance())["tax", "EUR"] == -504


async def test_an_approved_draft_that_breaks_can_be_tried_again(world: Taxing) -> None:
    """The next attempt bills what stood on its draft."""
    owner = await world.owner()
    run = await world.start_run(at_once=True)
    await world.database.execute(
        f"ALTER TABLE invoicing.invoices ADD CONSTRAINT broken CHECK (account_id <> '{owner}')"
    )
    run = await world.run_workers(run)
    assert (run["state"], run["accounts"]) == ("done", {"set_aside": 1})
    await world.database.execute("ALTER TABLE invoicing.invoices DROP CONSTRAINT broken")
    assert (await world.retry_run(run))["accounts"] == {"issued": 1}
    assert await world.lines(owner) == [(10_080, 1_008, 11_088)]


@pytest.mark.parametrize("more", [{"country": None}, {"country": "XX"}, {"tax_calculator": "guess"}])
async def test_a_legal_entity_says_where_it_is_and_who_calculates(world: Taxing, more: dict[str, Any]) -> None:
    refused = await world.entity("GS-NEW", **more)
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid")
    assert (await world.entity("GS-NEW", tax_calculator="rates", country=None)).status_code == 200
    entity = await world.client.got("/v1/legal-entities/GS-OUT")
    assert (entity["tax_calculator"], entity["country"]) == ("outside", "DE")


async def test_no_transaction_is_open_while_the_calculator_is_asked(world: Taxing) -> None:
    owner = await world.owner()
    open_ = (
        "SELECT count(*) FROM pg_stat_activity WHERE usename = 'invoicing' AND datname = $1 AND state LIKE '%trans%'"
    )
    open_transactions: list[int] = []

    async def look() -> None:
        open_transactions.append(await world.database.value(open_, world.database.name))

    world.calculator.during = look
    await world.client.got(f"/v1/accounts/{owner}/bill-preview", run_date="2026-03-02")
    world.calculator.during = look
    await world.run_workers(await world.start_run())
    assert open_transactions == [0, 0]
