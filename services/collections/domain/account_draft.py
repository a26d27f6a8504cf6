"""An account while a decision about it is made.

Each change is applied to a copy of the facts at once, so that what follows in the same decision sees it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from services.collections.domain.account_changes import AccountChange
from services.collections.domain.dunning_account import DunningAccount
from services.collections.domain.evaluated_item import EvaluatedItem, evaluate_items
from services.collections.domain.policy_version import PolicyVersion
from shared.events import Event


class EvaluationContext(NamedTuple):
    """The things on which a decision depends beside the account's facts."""

    versions: Sequence[PolicyVersion]
    now: datetime
    new_ids: Iterator[UUID]
    """Ids for what is new, in order."""


@dataclass(frozen=True, slots=True)
class AccountDecision:
    """A decision about an account."""

    account: DunningAccount
    """The account as the changes leave it."""
    changes: tuple[AccountChange, ...]
    events: tuple[Event, ...]
    """Events that announce the changes, in order."""
    due_at: Mapping[UUID, datetime | None]
    """When each of its items must be looked at next if no new fact comes; None for never."""


@dataclass(slots=True)
class AccountDraft:
    """An account, and the changes and events of a decision so far."""

    account: DunningAccount
    context: EvaluationContext
    changes: list[AccountChange] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    due_at: dict[UUID, datetime | None] = field(default_factory=dict)

    def apply(self, change: AccountChange) -> None:
        """Want a change, and go on with the account as it leaves it."""
        self.changes.append(change)
        self.account = change.apply_to(self.account)

    def publish(self, event: Event) -> None:
        """Want an event published."""
        self.events.append(event)

    def evaluate_items(self) -> list[EvaluatedItem]:
        """Evaluate the items of the account as it is now."""
        return evaluate_items(self.context.versions, self.account, self.context.now)

    def finish(self) -> AccountDecision:
        """Build the decision from what was wanted so far."""
        return AccountDecision(self.account, tuple(self.changes), tuple(self.events), self.due_at)
