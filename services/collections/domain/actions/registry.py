"""The kinds of action by name. What carries each out stands in `domain/due_step_decision.py`."""

from collections.abc import Mapping
from types import MappingProxyType

from services.collections.domain.actions.notice import NOTICE
from services.collections.domain.actions.suspend import SUSPEND
from services.collections.domain.actions.terminate import TERMINATE
from services.collections.domain.policy_step import ActionKind

_KINDS: tuple[ActionKind, ...] = (NOTICE, SUSPEND, TERMINATE)
ACTION_KINDS: Mapping[str, ActionKind] = MappingProxyType({kind.name: kind for kind in _KINDS})
"""All kinds, by the name that the document of a policy uses."""
