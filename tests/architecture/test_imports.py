"""The import contracts hold, name everything that there is, and bite."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from tests.architecture.source import ROOT, SERVICES

PURE = {"contracts", "events", "pure"}
"""What of `shared` a domain may use: values and rules, no IO."""

CONFIG = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
CONTRACTS = {contract["id"]: contract for contract in CONFIG["contracts"]}

VIOLATIONS = [
    *[("independent-services", f"services/{a}/tables", f"services.{b}.tables") for a, b in pairwise(SERVICES)],
    ("independent-services", "services/escalation/use_cases", "services.invoicing.ledger.domain"),
    ("shared-knows-nobody", "shared/pure/money", "services.invoicing.ledger.domain"),
    ("shared-knows-nobody", "shared/persistence/outbox", "sandbox.clock"),
    ("shared-knows-nobody", "shared/base/settings", "deploy.local.ports"),
    ("services-know-no-surroundings", "services/collections/mail", "sandbox.mailbox.store"),
    ("services-know-no-surroundings", "services/invoicing/jobs", "deploy.local.ports"),
    ("sandbox-stays-outside", "sandbox/checks", "services.collections.domain.item_evaluator"),
    ("capabilities", "services/invoicing/ledger/domain", "services.invoicing.billing.domain.included_tax"),
    ("capabilities-inward", "services/invoicing/receivables/domain", "services.invoicing.receivables.tables"),
    ("repositories-below", "services/invoicing/billing/tables", "services.invoicing.usage.use_cases"),
    ("repositories-below", "services/invoicing/receivables/tables", "services.invoicing.catalog.api.plan_routes"),
    ("use-cases-below", "services/invoicing/usage/use_cases", "services.invoicing.catalog.api.plan_routes"),
    ("inward", "services/collections/tables", "services.collections.repository"),
    ("inward", "services/collections/repository", "services.collections.mail"),
    ("inward", "services/entitlements/repository", "services.entitlements.use_cases"),
    ("inward", "services/collections/mail", "services.collections.use_cases"),
    ("inward", "services/escalation/use_cases", "services.escalation.api"),
    ("inward", "services/escalation/consumers", "services.escalation.jobs"),
    ("inward", "services/entitlements/jobs", "services.entitlements.service"),
    ("adapters-by-their-port", "services/entitlements/jobs", "services.entitlements.adapters.partner_center"),
    ("adapters-by-their-port", "services/escalation/use_cases", "services.escalation.adapters.incidents"),
    ("adapters-by-their-port", "services/collections/use_cases", "services.collections.adapters.invoicing"),
    (
        "adapters-by-their-port",
        "services/invoicing/billing/use_cases",
        "services.invoicing.billing.adapters.tax_calculator",
    ),
    ("inward", "services/collections/adapters", "services.collections.use_cases"),
    ("shared-inward", "shared/pure/money", "shared.events.values"),
    ("shared-inward", "shared/events/values", "shared.contracts.notice_facts"),
    ("shared-inward", "shared/contracts/notice_facts", "shared.base.settings"),
    ("shared-inward", "shared/base/settings", "shared.persistence.outbox"),
    ("shared-inward", "shared/persistence/outbox", "shared.messaging.relay"),
    ("shared-inward", "shared/messaging/relay", "shared.web.auth"),
    ("shared-inward", "shared/web/auth", "shared.outside.mail"),
    ("shared-inward", "shared/outside/mail", "shared.process.jobs"),
    ("shared-inward", "shared/process/jobs", "shared.run"),
    ("pure-domain", "services/invoicing/ledger/domain", "asyncpg"),
    ("pure-domain", "services/collections/domain", "sqlmodel"),
    ("pure-domain", "services/entitlements/domain", "shared.persistence.database"),
    ("pure-domain", "services/escalation/domain", "shared.base.clock"),
]
"""(the contract, the module in which, the module that must not be imported there)"""

CAPABILITIES = [layer for layer in CONTRACTS["capabilities"]["layers"] if "|" not in layer][1:-1]
"""Capabilities of invoicing, the highest first."""
INVOICING = ROOT / "services" / "invoicing"


def lint(tree: Path) -> tuple[set[str], str]:
    """Lint a tree; the ids of the contracts that it breaks, and the linter's report.

    Raises AssertionError if the linter did not come to a result.
    """
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [linter, "--no-logo", "--no-cache"],
        cwd=tree,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=60,
    )
    names = {contract["name"]: id for id, contract in CONTRACTS.items()}
    results = dict(re.findall(r"^(.+) (KEPT|BROKEN)$", done.stdout, re.MULTILINE))
    assert set(results) == set(names), done.stdout + done.stderr
    assert (done.returncode != 0) == ("BROKEN" in results.values())
    return {names[name] for name, result in results.items() if result == "BROKEN"}, done.stdout


def list_broken(tree: Path) -> set[str]:
    """List the ids of the contracts that a tree breaks."""
    return lint(tree)[0]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the code, to be violated."""
    copy = tmp_path_factory.mktemp("imports")
    shutil.copy(ROOT / "pyproject.toml", copy)
    for package in CONFIG["root_packages"]:
        shutil.copytree(ROOT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


def find_file(tree: Path, module: str) -> Path:
    """Find the file of a module or package, by its path without ending."""
    file = tree / f"{module}.py"
    return file if file.exists() else tree / module / "__init__.py"


def list_rooms(capability: str) -> list[str]:
    """List the rooms that a capability has, the highest first."""
    rooms = [room.strip("() ") for layer in CONTRACTS["capabilities-inward"]["layers"] for room in layer.split("|")]
    folder = INVOICING / capability
    return [room for room in rooms if (folder / room).is_dir() or (folder / f"{room}.py").exists()]


@contextmanager
def importing_each(tree: Path, imports: Iterable[tuple[str, str]]) -> Iterator[None]:
    """Let each of these modules of the tree import another one for a while."""
    before: dict[Path, str] = {}
    for module, imported in imports:
        file = find_file(tree, module)
        before.setdefault(file, file.read_text())
        file.write_text(f"{file.read_text()}\nimport {imported}\n")
    try:
        yield
    finally:
        for file, text in before.items():
            file.write_text(text)


@contextmanager
def importing(tree: Path, module: str, imported: str) -> Iterator[None]:
    """Let a module of the tree import another one for a while."""
    with importing_each(tree, [(module, imported)]):
        yield


def test_the_contracts_hold() -> None:
    assert list_broken(ROOT) == set()


@pytest.mark.parametrize(("contract", "module", "imported"), VIOLATIONS)
def test_each_contract_bites(tree: Path, contract: str, module: str, imported: str) -> None:
    with importing(tree, module, imported):
        assert contract in list_broken(tree)


def test_every_contract_has_an_example_that_breaks_it() -> None:
    assert {contract for contract, _, _ in VIOLATIONS} == set(CONTRACTS)


def test_each_capability_is_kept_from_the_one_above_it(tree: Path) -> None:
    pairs = [(lower, higher) for higher, lower in pairwise(CAPABILITIES)]
    imports = [(f"services/invoicing/{lower}", f"services.invoicing.{higher}") for lower, higher in pairs]
    with importing_each(tree, imports):
        _, report = lint(tree)
    named = set(re.findall(r"services\.invoicing\.(\w+) is not allowed to import\s+services\.invoicing\.(\w+)", report))
    assert named >= set(pairs)


def test_each_room_of_a_capability_is_kept_from_the_one_above_it(tree: Path) -> None:
    pairs = [
        (f"services.invoicing.{capability}.{lower}", f"services.invoicing.{capability}.{higher}")
        for capability in CAPABILITIES
        for higher, lower in pairwise(list_rooms(capability))
    ]
    assert len(pairs) > len(CAPABILITIES)
    with importing_each(tree, [(lower.replace(".", "/"), higher) for lower, higher in pairs]):
        _, report = lint(tree)
    assert set(re.findall(r"([\w.]+) is not allowed to import\s+([\w.]+)", report)) >= set(pairs)


def test_each_domain_of_invoicing_is_kept_from_frameworks(tree: Path) -> None:
    domains = [f"services/invoicing/{name}/domain" for name in CAPABILITIES if "domain" in list_rooms(name)]
    with importing_each(tree, [(domain, "asyncpg") for domain in domains]):
        _, report = lint(tree)
    named = {name.replace(".", "/") for name in re.findall(r"([\w.]+) is not allowed to import\s+asyncpg", report)}
    assert named >= set(domains)


def test_every_capability_is_in_the_contracts() -> None:
    folders = {path.parent.name for path in INVOICING.glob("*/__init__.py")}
    assert folders == set(CAPABILITIES)
    assert set(CONTRACTS["capabilities-inward"]["containers"]) == {f"services.invoicing.{name}" for name in folders}


def test_every_package_of_shared_is_either_pure_or_kept_from_the_domain() -> None:
    packages = {
        path.stem for path in (ROOT / "shared").iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    forbidden = {
        name.removeprefix("shared.") for name in CONTRACTS["pure-domain"]["forbidden_modules"] if "shared." in name
    }
    assert forbidden == packages - PURE - {"__init__"}


def test_every_service_is_in_the_contracts() -> None:
    folders = {path.parent.name for path in (ROOT / "services").glob("*/service.py")}
    assert folders == set(SERVICES)
    assert {*CONTRACTS["inward"]["containers"], *CONTRACTS["capabilities"]["containers"]} == {
        f"services.{name}" for name in SERVICES
    }
