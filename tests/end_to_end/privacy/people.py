"""People whose names stand nowhere else, and where to look for them."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from deploy.local.stack import Stack
from sandbox.driver import SandboxDriver
from shared.events import get_topic
from shared.process.service import NAMES
from tests.builders import Client
from tests.end_to_end.backbone.loops import records

REGISTERED = "privacy-"
"""How the references of these customers begin; `Customer …` and `billing@…` are made of them."""
MARKS = ("peregrina", "wuthering", "@secluded", f"customer {REGISTERED}", f"@{REGISTERED}", "mumbled")
"""Parts of what nobody may read, in lower case: names, addresses, and what people said."""
AROUND = 80
"""Bytes on both sides of a finding that are shown."""
SAID = "she mumbled that it was never delivered"


def name(number: int) -> str:
    """A customer's name."""
    return f"Peregrina {number}"


def email(number: int) -> str:
    """Build the address of a person."""
    return f"wuthering-{number}@secluded-{number}.example"


async def name_account(client: Client, account_id: str, number: int) -> None:
    """Give an account its name and address."""
    account = await client.get(f"/v1/accounts/{account_id}")
    body = {
        "name": name(number),
        "billing_email": email(number),
        "terms_days": 14,
        "vendor_customer_ids": account.json()["vendor_customer_ids"],
    }
    headers = client.headers | {"if-match": account.headers["etag"]}
    answer = await client.http.patch(f"/v1/accounts/{account_id}", json=body, headers=headers)
    assert answer.status_code == 200, answer.text


def secrets(stack: Stack, driver: SandboxDriver) -> list[bytes]:
    """Every password, and every token of a caller or a service, also its signature alone."""
    state = stack._state
    passwords = json.loads((state.root / "postgres" / "passwords.json").read_text()).values()
    tokens = [*driver._tokens.values(), *(file.read_text().strip() for file in state.tokens.rglob("*.jwt"))]
    assert len(tokens) > len(NAMES)
    assert len(passwords) > len(NAMES)
    return [secret.encode() for secret in (*passwords, *tokens, *(token.split(".")[2] for token in tokens))]


def logs(stack: Stack) -> dict[str, bytes]:
    """Everything that any process wrote, its spans too; Postgres and Kafka are among them."""
    folder: Path = stack._state.logs
    return {file.name: file.read_bytes() for file in folder.rglob("*") if file.is_file()}


async def messages(stack: Stack) -> dict[str, bytes]:
    """Every byte of every message: key, headers, value."""
    messages_by_place = {}
    for service in NAMES:
        for record in await records(stack.kafka, get_topic(service)):
            headers = b"\n".join(name.encode() + b": " + value for name, value in record.headers)
            place = f"{record.topic}/{record.partition}:{record.offset}"
            messages_by_place[place] = b"\n".join((record.key or b"", headers, record.value or b""))
    return messages_by_place


def spans(logs: Iterable[bytes]) -> Iterator[dict[str, object]]:
    """The spans among the lines of these logs."""
    for log in logs:
        for line in log.splitlines():
            if line.startswith(b'{"name"'):
                yield json.loads(line)


def leaks(places: dict[str, bytes], hidden: Iterable[bytes]) -> list[str]:
    """Where something of a person, or something hidden, can be read: the place, and what stands around it."""
    leaking = []
    for place, content in places.items():
        lower = content.lower()
        for mark in (*(mark.encode() for mark in MARKS), *hidden):
            for at in (lower.find(mark), content.find(mark)):
                if at >= 0:
                    around = content[max(0, at - AROUND) : at + len(mark) + AROUND]
                    leaking.append(f"{place}: {around.decode(errors='replace')}")
                    break
    return leaking
