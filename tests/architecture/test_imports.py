"""The import contracts hold, name everything that there is, and bite."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
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
    ("independent-services", "services/escalation/use_cases", "services.invoicing.domain"),
    ("shared-knows-nobody", "shared/pure/money", "services.invoicing.domain"),
    ("shared-knows-nobody", "shared/persistence/outbox", "sandbox.clock"),
    ("shared-knows-nobody", "shared/base/settings", "deploy.local.ports"),
    ("services-know-no-surroundings", "services/collections/mail", "sandbox.mailbox.store"),
    ("services-know-no-surroundings", "services/invoicing/jobs", "deploy.local.ports"),
    ("sandbox-stays-outside", "sandbox/checks", "services.collections.domain.judge"),
    ("inward", "services/invoicing/domain", "services.invoicing.tables"),
    ("inward", "services/collections/tables", "services.collections.repository"),
    ("inward", "services/collections/repository", "services.collections.mail"),
    ("inward", "services/entitlements/repository", "services.entitlements.use_cases"),
    ("inward", "services/collections/mail", "services.collections.use_cases"),
    ("inward", "services/escalation/use_cases", "services.escalation.api"),
    ("inward", "services/escalation/consumers", "services.escalation.jobs"),
    ("inward", "services/entitlements/jobs", "services.entitlements.service"),
    ("shared-inward", "shared/pure/money", "shared.events.values"),
    ("shared-inward", "shared/events/values", "shared.contracts.notice_facts"),
    ("shared-inward", "shared/contracts/notice_facts", "shared.base.settings"),
    ("shared-inward", "shared/base/settings", "shared.persistence.outbox"),
    ("shared-inward", "shared/persistence/outbox", "shared.messaging.relay"),
    ("shared-inward", "shared/messaging/relay", "shared.web.auth"),
    ("shared-inward", "shared/web/auth", "shared.outside.mail"),
    ("shared-inward", "shared/outside/mail", "shared.process.jobs"),
    ("shared-inward", "shared/process/jobs", "shared.run"),
    ("pure-domain", "services/invoicing/domain", "asyncpg"),
    ("pure-domain", "services/collections/domain", "sqlmodel"),
    ("pure-domain", "services/entitlements/domain", "shared.persistence.database"),
    ("pure-domain", "services/escalation/domain", "shared.base.clock"),
]
"""(the contract, the module in which, the module that must not be imported there)"""


def list_broken(tree: Path) -> set[str]:
    """The ids of the contracts that a tree breaks. Raises AssertionError if the linter did not come to a result."""
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
    return {names[name] for name, result in results.items() if result == "BROKEN"}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the code, to be violated."""
    copy = tmp_path_factory.mktemp("imports")
    shutil.copy(ROOT / "pyproject.toml", copy)
    for package in CONFIG["root_packages"]:
        shutil.copytree(ROOT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


@contextmanager
def importing(tree: Path, module: str, imported: str) -> Iterator[None]:
    """Let a module of the tree import another one for a while."""
    file = tree / f"{module}.py"
    if not file.exists():
        file = tree / module / "__init__.py"
    before = file.read_text()
    file.write_text(f"{before}\nimport {imported}\n")
    try:
        yield
    finally:
        file.write_text(before)


def test_the_contracts_hold() -> None:
    assert list_broken(ROOT) == set()


@pytest.mark.parametrize(("contract", "module", "imported"), VIOLATIONS)
def test_each_contract_bites(tree: Path, contract: str, module: str, imported: str) -> None:
    with importing(tree, module, imported):
        assert contract in list_broken(tree)


def test_every_contract_has_an_example_that_breaks_it() -> None:
    assert {contract for contract, _, _ in VIOLATIONS} == set(CONTRACTS)


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
    assert set(CONTRACTS["inward"]["containers"]) == {f"services.{name}" for name in SERVICES}
