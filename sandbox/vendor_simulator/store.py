"""Store of the vendor: in memory for reading, in an SQLite file so that a restart keeps it."""

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel

from sandbox.vendor_simulator.incidents import VendorIncident
from sandbox.vendor_simulator.service_requests import VendorServiceRequest
from sandbox.vendor_simulator.subscription import Subscription

_SCHEMA = "CREATE TABLE IF NOT EXISTS kept (kind text, key text, value text, PRIMARY KEY (kind, key))"
_KEEP = "INSERT INTO kept VALUES (?, ?, ?) ON CONFLICT (kind, key) DO UPDATE SET value = excluded.value"

Kept = TypeVar("Kept", bound=BaseModel)


class StoredAnswer(BaseModel):
    """The answer to a request that took effect: repeats of the request get it again."""

    request_id: str
    status: int
    body: str
    location: str | None = None


class AcceptedChange(BaseModel):
    """A change that the vendor has accepted and not done yet; `after` is what it comes to."""

    id: str
    looks_left: int
    after: Subscription


_KINDS: Mapping[type[BaseModel], str] = {
    Subscription: "Subscription",
    StoredAnswer: "StoredAnswer",
    AcceptedChange: "Accepted",
    VendorIncident: "VendorIncident",
    VendorServiceRequest: "ServiceRequest",
}
"""The file's names of what it keeps."""


class VendorStore:
    """The subscriptions, the answers given, and the changes that are still under way."""

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(file, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = NORMAL")
        self._database.execute(_SCHEMA)
        self.subscriptions = {
            (subscription.customer, subscription.id): subscription for subscription in self._load(Subscription)
        }
        self.answers = {answer.request_id: answer for answer in self._load(StoredAnswer)}
        self.accepted = {change.id: change for change in self._load(AcceptedChange)}
        self.incidents = {incident.id: incident for incident in self._load(VendorIncident)}
        self.requests = {request.id: request for request in self._load(VendorServiceRequest)}

    def save_changes(
        self, *things: Subscription | StoredAnswer | AcceptedChange | VendorServiceRequest | VendorIncident
    ) -> None:
        """Keep these, all or none."""
        rows = [(_KINDS[type(thing)], _key(thing), thing.model_dump_json()) for thing in things]
        self._database.execute("BEGIN IMMEDIATE")
        self._database.executemany(_KEEP, rows)
        self._database.execute("COMMIT")
        for thing in things:
            self._remember(thing)

    def get_pending_change(self, customer: str, subscription: str) -> AcceptedChange | None:
        """The change of a subscription that is accepted and not done."""
        for change in self.accepted.values():
            if change.looks_left and (change.after.customer, change.after.id) == (customer, subscription):
                return change
        return None

    def close(self) -> None:
        """Let go of the file."""
        self._database.close()

    def _load(self, kind: type[Kept]) -> list[Kept]:
        rows = self._database.execute("SELECT value FROM kept WHERE kind = ?", (_KINDS[kind],))
        return [kind.model_validate_json(value) for (value,) in rows]

    def _remember(
        self, thing: Subscription | StoredAnswer | AcceptedChange | VendorServiceRequest | VendorIncident
    ) -> None:
        match thing:
            case Subscription():
                self.subscriptions[thing.customer, thing.id] = thing
            case StoredAnswer():
                self.answers[thing.request_id] = thing
            case AcceptedChange():
                self.accepted[thing.id] = thing
            case VendorServiceRequest():
                self.requests[thing.id] = thing
            case VendorIncident():
                self.incidents[thing.id] = thing


def _key(thing: Subscription | StoredAnswer | AcceptedChange | VendorServiceRequest | VendorIncident) -> str:
    match thing:
        case Subscription():
            return f"{thing.customer}/{thing.id}"
        case StoredAnswer():
            return thing.request_id
        case AcceptedChange() | VendorServiceRequest() | VendorIncident():
            return thing.id
