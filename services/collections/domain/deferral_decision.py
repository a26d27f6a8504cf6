"""Decisions about steps that are due and wait: for the policy's notices, for the guard, or for the bank's data."""

from collections.abc import Iterable
from uuid import UUID

from services.collections.domain.account_changes import EndedStepDeferrals, StepDeferral
from services.collections.domain.account_draft import AccountDraft
from services.collections.domain.dunning_account import AnnouncedDeferral
from services.collections.domain.evaluated_item import EvaluatedItem
from shared.events.collections import StepDeferred


def sync_policy_deferrals(draft: AccountDraft, items: Iterable[EvaluatedItem]) -> None:
    """Announce each step that the policy defers once for each cause; forget those that no longer wait.

    A suspension that is due and not deferred by the policy keeps what the guard or the bank's data said of it, and
    so does one that is requested.
    """
    over = []
    requested = draft.account.invoices_of_requests
    for result in items:
        invoice_id = result.item.invoice_id
        for waiting in result.evaluation.deferred:
            deferral = AnnouncedDeferral(waiting.step, waiting.reason, waiting.until, "policy")
            announce_step_deferral(draft, result, deferral)
        is_due = any(action.kind.awaits_fresh_facts for action in result.evaluation.actions)
        if not result.evaluation.deferred and not is_due and invoice_id not in requested:
            over.append(invoice_id)
    end_step_deferrals(draft, over)


def announce_step_deferral(draft: AccountDraft, result: EvaluatedItem, deferral: AnnouncedDeferral) -> None:
    """Note that a step waits, and announce it unless the same was said before."""
    invoice_id, before = result.item.invoice_id, draft.account.deferrals.get(result.item.invoice_id)
    if deferral != before:
        draft.apply(StepDeferral(invoice_id, deferral))
    if before is None or (deferral.step, deferral.cause) != (before.step, before.cause):
        draft.publish(
            StepDeferred(
                account_id=draft.account.account_id,
                step=deferral.step,
                policy_version=result.version,
                invoice_ids=(invoice_id,),
                cause=deferral.waits_for,
                until=deferral.until,
            )
        )


def end_step_deferrals(draft: AccountDraft, invoice_ids: Iterable[UUID]) -> None:
    """Forget what was said of these invoices, as far as anything was."""
    if over := draft.account.deferrals.keys() & frozenset(invoice_ids):
        draft.apply(EndedStepDeferrals(frozenset(over)))
