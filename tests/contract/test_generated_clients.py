"""Two generators make clients of all services from their API documents, and lose no operation, header or file."""

import compileall
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest

from shared.process.service import NAMES
from tests.contract.test_pages import document

NODE = Path(__file__).parent / "node"
USE = """
import type { operations } from "./client";

type Payment = operations["recordPayment"]["responses"][201];
export const replayed: Payment["headers"]["Idempotency-Replayed"] = "true";
export const key: operations["recordPayment"]["parameters"]["header"] = { "idempotency-key": "3f0c1f4e" };
export const version: operations["changeAccount"]["parameters"]["header"] = { "if-match": '"1"' };
export const file: NonNullable<operations["sendUsageFile"]["requestBody"]>["content"]["application/octet-stream"] = "";
"""
"""What a caller in TypeScript uses of invoicing; without the key or the version it does not compile."""


def list_operation_ids(described: dict[str, Any]) -> set[str]:
    """List the ids of the operations of an API document."""
    return {operation["operationId"] for path in described["paths"].values() for operation in path.values()}


def list_uploads(described: dict[str, Any]) -> set[str]:
    """List the operations that take a file in several forms, by method and path."""
    return {
        f"{method.upper()} {path}"
        for path, operations in described["paths"].items()
        for method, operation in operations.items()
        for forms in [operation.get("requestBody", {}).get("content", {})]
        if "application/octet-stream" in forms and len(forms) > 1
    }


def write_document(service: str, folder: Path) -> tuple[dict[str, Any], Path]:
    """Write the API document of a service into a folder; it, and where."""
    described, path = document(service), folder / f"{service}.json"
    path.write_bytes(orjson.dumps(described))
    return described, path


def generate_python(service: str, folder: Path) -> tuple[set[str], str]:
    """Generate a Python client; the names of its operations, and what the generator says of what it left out."""
    _, path = write_document(service, folder)
    settings = folder / "settings.yaml"
    settings.write_text("post_hooks: []\n")
    package = folder / "client"
    generator = Path(sys.executable).parent / "openapi-python-client"
    arguments = ["generate", "--meta=none", f"--path={path}", f"--output-path={package}", f"--config={settings}"]
    done = subprocess.run([generator, *arguments], capture_output=True, text=True, check=True)
    assert compileall.compile_dir(package, quiet=2)
    modules = {module.stem for module in package.glob("api/*/*.py") if module.stem != "__init__"}
    return modules, done.stdout + done.stderr


@pytest.mark.parametrize("service", NAMES)
def test_a_python_client_has_every_operation(service: str, tmp_path: Path) -> None:
    modules, words = generate_python(service, tmp_path)
    wanted = {re.sub("([A-Z])", r"_\1", name).lower() for name in list_operation_ids(document(service))}
    assert modules == wanted
    # Of a file it knows one form, and warns of the others.
    assert set(re.findall(r"^WARNING parsing (\S+ \S+)", words, re.MULTILINE)) == list_uploads(document(service)), words
    assert "not be generated" not in words


def test_a_typescript_client_has_every_operation_and_compiles(tmp_path: Path) -> None:
    for service in NAMES:
        described, path = write_document(service, tmp_path)
        client = tmp_path / service / "client.d.ts"
        program = NODE / "node_modules" / ".bin" / "openapi-typescript"
        subprocess.run([program, path, "-o", client], capture_output=True, check=True)
        declared = client.read_text().partition("export interface operations {")[2]
        assert set(re.findall(r"^    (\w+): \{$", declared, re.MULTILINE)) == list_operation_ids(described)
    (tmp_path / "invoicing" / "use.ts").write_text(USE)
    compile_typescript(tmp_path / "invoicing" / "use.ts")
    (tmp_path / "invoicing" / "wrong.ts").write_text(USE.replace('{ "if-match": \'"1"\' }', "{}"))
    with pytest.raises(subprocess.CalledProcessError):
        compile_typescript(tmp_path / "invoicing" / "wrong.ts")


@pytest.mark.parametrize("service", NAMES)
def test_the_id_of_an_operation_says_what_is_done_to_what(service: str) -> None:
    assert [
        name for name in list_operation_ids(document(service)) if not re.fullmatch(r"[a-z]+([A-Z][a-z]*)+", name)
    ] == []


def compile_typescript(program: Path) -> None:
    """Check a program's types. Raises CalledProcessError."""
    compiler = NODE / "node_modules" / ".bin" / "tsc"
    subprocess.run([compiler, "--strict", "--noEmit", "--skipLibCheck", "false", program], check=True)
