"""Rules of the source: rooms of every service, short files and functions, one clock; and each of them bites."""

import re
from pathlib import Path

import pytest

from services.collections.domain.suspension import SUSPENSION_ALLOWED
from services.entitlements.domain.entitlement import ENTITLEMENT_ALLOWED
from services.escalation.domain.cases import CASE_ALLOWED
from services.escalation.domain.disputes import DISPUTE_ALLOWED
from services.escalation.domain.vendor_tickets import TICKET_ALLOWED
from services.invoicing.bank.domain.entry_matching import ENTRY_ALLOWED
from services.invoicing.billing.domain.run_states import RUN_ALLOWED
from services.invoicing.payments.domain.debit_states import DEBIT_ALLOWED
from services.invoicing.settings.domain.approval_states import APPROVAL_ALLOWED
from services.invoicing.subscriptions.domain.change_states import CHANGE_ALLOWED
from services.invoicing.vendor_costs.domain.vendor_invoice import VENDOR_INVOICE_ALLOWED
from tests.architecture import source
from tests.architecture.source import ROOT, SERVICES

PRODUCT = ("services", "shared")
CODE = (*PRODUCT, "sandbox", "deploy")

SYSTEM_TIME = {
    "web/auth.py",  # expiry of tokens
    "persistence/database.py",  # the business clock of production is the system's
    "persistence/failed_work.py",  # the window of the flood rule
    "process/intents.py",  # leases
    "base/metrics/backbone.py",  # delays between facts and their effects
    "base/metrics/figures.py",  # the business clock of production is the system's
    "persistence/outbox.py",  # when an event was recorded, beside when its fact occurred
    "persistence/parked_events.py",  # the window of the flood rule
    "base/signing_keys.py",  # since when an alert counts
}


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_has_the_same_rooms(service: str) -> None:
    assert source.missing_rooms(ROOT / "services" / service) == []


def test_a_missing_room_is_seen(tmp_path: Path) -> None:
    for room in ("tables", "use_cases", "api", "consumers", "jobs", "service", "__init__"):
        (tmp_path / f"{room}.py").touch()
    for folder in ("domain", "migrations/versions"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "migrations/env.py").touch()
    (tmp_path / "migrations/versions/0001_first_tables.py").touch()
    assert source.missing_rooms(tmp_path) == ["repository", "README.md"]


@pytest.mark.parametrize("service", SERVICES)
def test_the_wiring_is_short(service: str) -> None:
    lines = (ROOT / "services" / service / "service.py").read_text().splitlines()
    assert len(lines) <= source.LONGEST_WIRING


@pytest.mark.parametrize("folder", CODE)
def test_no_file_is_long(folder: str) -> None:
    assert source.long_files(ROOT / folder) == []


def test_a_long_file_is_seen_and_a_migration_may_be_long(tmp_path: Path) -> None:
    (tmp_path / "migrations").mkdir()
    (tmp_path / "migrations" / "0001.py").write_text("x = 1\n" * 301)
    (tmp_path / "fits.py").write_text("x = 1\n" * 300)
    (tmp_path / "long.py").write_text("x = 1\n" * 301)
    assert source.long_files(tmp_path) == ["long.py"]


@pytest.mark.parametrize("folder", CODE)
def test_functions_are_short(folder: str) -> None:
    assert source.long_functions(ROOT / folder) == []


def _function(name: str, lines: int) -> str:
    return f"def {name}():\n" + "    pass\n" * (lines - 1)


@pytest.mark.parametrize(
    ("lengths", "finds"),
    [
        ([5] * 20 + [40], []),
        ([5] * 20 + [41], ["f.py:f20"]),
        ([9] * 20, ["median"]),
        ([5] * 17 + [22] * 3, ["most"]),
    ],
)
def test_long_functions_are_seen(tmp_path: Path, lengths: list[int], finds: list[str]) -> None:
    (tmp_path / "f.py").write_text("\n".join(_function(f"f{n}", length) for n, length in enumerate(lengths)))
    assert source.long_functions(tmp_path) == finds


@pytest.mark.parametrize("folder", PRODUCT)
def test_business_time_comes_from_the_business_clock(folder: str) -> None:
    assert source.other_clocks(ROOT / folder, besides=("clock.py", "schema.sql")) == []


def test_services_never_ask_for_the_system_time() -> None:
    assert source.readers_of_system_time(ROOT / "services") == set()
    assert source.readers_of_system_time(ROOT / "shared") == SYSTEM_TIME


@pytest.mark.parametrize(
    "line",
    [
        "due_at = datetime.now(UTC)",
        "started = time.time()",
        "today = date.today()",
        'QUERY = "SELECT * FROM items WHERE due_at <= now()"',
        'QUERY = "SELECT * FROM items WHERE due_at <= NOW ()"',
        'QUERY = "UPDATE items SET at = CURRENT_TIMESTAMP"',
        'QUERY = "SELECT clock_timestamp()"',
        'at: datetime = Field(sa_column_kwargs={"server_default": text("x")})',
        'TABLE = "created_at timestamptz DEFAULT transaction_start"',
    ],
)
def test_another_clock_is_seen(tmp_path: Path, line: str) -> None:
    (tmp_path / "repository.py").write_text(f"x = 1\n{line}\n")
    assert source.other_clocks(tmp_path) == ["repository.py:2"]
    assert source.other_clocks(tmp_path, besides=("repository.py",)) == []


def test_the_business_clock_is_no_other_clock(tmp_path: Path) -> None:
    (tmp_path / "judge.py").write_text("def judge(now):\n    return unit.now, known(now), time.monotonic()\n")
    assert source.other_clocks(tmp_path) == []
    assert source.readers_of_system_time(tmp_path) == set()


def test_a_reader_of_the_system_time_is_seen(tmp_path: Path) -> None:
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs" / "steps.py").write_text("from shared.base.clock import read_system_clock\n")
    assert source.readers_of_system_time(tmp_path) == {"jobs/steps.py"}


@pytest.mark.parametrize("folder", CODE)
def test_imports_stand_at_the_top(folder: str) -> None:
    assert source.nested_imports(ROOT / folder) == []


def test_a_nested_import_is_seen(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("import os\n\n\ndef late():\n    from shared import clock\n")
    assert source.nested_imports(tmp_path) == ["a.py:5"]


def test_states_move_by_their_table() -> None:
    assert source.states_set_by_hand(ROOT / "services") == []


def test_a_state_set_by_hand_is_seen(tmp_path: Path) -> None:
    (tmp_path / "cases.py").write_text("row.state = moved_to(ALLOWED, row.state, CLOSED)\nrow.state = CLOSED\n")
    assert source.states_set_by_hand(tmp_path) == ["cases.py:2"]


def test_moves_are_judged_by_one_function() -> None:
    assert source.moves_judged_by_hand(ROOT / "services") == []


def test_a_move_judged_by_hand_is_seen(tmp_path: Path) -> None:
    (tmp_path / "cases.py").write_text(
        "transition(CASE_ALLOWED, row.state, new, Refused, '')\nnew in CASE_ALLOWED[now]\n"
    )
    assert source.moves_judged_by_hand(tmp_path) == ["cases.py:2"]


def test_actors_are_compared_as_they_are_known() -> None:
    assert source.actors_compared(ROOT / "services") == []


def test_actors_that_are_compared_as_they_are_written_are_seen(tmp_path: Path) -> None:
    (tmp_path / "approvals.py").write_text(
        "own = caller.subject == row.proposed_by\n"
        "fine = is_same_actor(caller.subject, row.proposed_by)\n"
        "QUERY = 'SELECT id FROM approvals WHERE proposed_by <> $1'\n"
        "SET = 'UPDATE approvals SET decided_by = $1'\n"
        "other = actor not in known or actor in known\n"
    )
    assert source.actors_compared(tmp_path) == ["approvals.py:1", "approvals.py:5", "approvals.py:3"]


@pytest.mark.parametrize("folder", CODE)
def test_all_that_is_public_is_documented(folder: str) -> None:
    assert source.list_undocumented(ROOT / folder) == []


def test_what_is_undocumented_is_seen(tmp_path: Path) -> None:
    (tmp_path / "__init__.py").touch()
    (tmp_path / "a.py").write_text(
        '"""A."""\nclass Known:\n    """K."""\n'
        "    def told(self): pass\n    def _own(self): pass\n    def declared(self): ...\n"
    )
    (tmp_path / "b.py").write_text("def told(): pass\n")
    assert source.list_undocumented(tmp_path) == ["a.py:Known.told", "b.py", "b.py:told"]


@pytest.mark.parametrize(
    ("service", "allowed"),
    [
        ("collections", SUSPENSION_ALLOWED),
        ("entitlements", ENTITLEMENT_ALLOWED),
        ("escalation", CASE_ALLOWED),
        ("escalation", DISPUTE_ALLOWED),
        ("escalation", TICKET_ALLOWED),
        ("invoicing", RUN_ALLOWED),
        ("invoicing", CHANGE_ALLOWED),
        ("invoicing", VENDOR_INVOICE_ALLOWED),
        ("invoicing", ENTRY_ALLOWED),
        ("invoicing", APPROVAL_ALLOWED),
        ("invoicing", DEBIT_ALLOWED),
    ],
    ids=(
        "suspension",
        "entitlement",
        "case",
        "dispute",
        "vendor ticket",
        "bill run",
        "change",
        "vendor invoice",
        "bank entry",
        "approval",
        "debit",
    ),
)
def test_the_readme_draws_what_the_table_allows(service: str, allowed: dict[str, frozenset[str]]) -> None:
    readme = (ROOT / "services" / service / "README.md").read_text()
    assert source.undrawn(readme, allowed) == set()


def test_a_wrong_drawing_is_seen() -> None:
    allowed = {"open": frozenset({"resolved"}), "resolved": frozenset[str]()}
    assert source.undrawn("    [*] --> open\n    open --> resolved: known\n", allowed) == set()
    assert source.undrawn("    open --> closed\n", allowed) == {("open", "closed"), ("open", "resolved")}


def test_every_decision_is_in_the_index_under_its_title() -> None:
    folder = ROOT / "docs" / "decisions"
    pages = {path.name: path.read_text().splitlines()[0] for path in folder.glob("0*.md")}
    listed = re.findall(r"^- \[(\d{4})\]\((\S+)\) (.+)$", (folder / "README.md").read_text(), re.MULTILINE)
    assert {name: f"# {number} {title}" for number, name, title in listed} == pages
    assert len(listed) == len(pages)
