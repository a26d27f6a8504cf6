"""Knowledge of one account's payments from the bank's statements: asked before access ends."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field

from services.invoicing.accounts.repository import account_queries
from services.invoicing.bank.repository import bank_knowledge_queries
from shared.persistence.database import Unit
from shared.pure.fields import set_model_example
from shared.web.auth import needs
from shared.web.http import PROBLEMS, Read, Router

reads = Router(prefix="/v1/accounts", tags=["bank"], dependencies=[needs("invoicing:read")], responses=PROBLEMS)


class BankKnowledgeOut(BaseModel):
    """Until when payments are known, and receipts that may be the account's but are not booked yet."""

    model_config = set_model_example(
        account_id="01a20d60-7458-729b-b244-54f33ab0c1d2",
        known_until="2026-03-31T00:00:00Z",
        undecided_entries=["01a20d70-2d1f-7b3f-8a55-2f64d1f0a9b8"],
    )

    account_id: UUID
    known_until: datetime | None = Field(
        description="the end (UTC) of the newest closing date, no later than its import, of that bank account of ours"
        " of which we know least; null: no statement yet"
    )
    undecided_entries: list[UUID] = Field(
        description="not decided, and proposed for the account, or just what is open of it or of an invoice; at most 20"
    )


@reads.get("/{account_id}/bank-knowledge", summary="How well the payments of an account are known")
async def get_bank_knowledge(account_id: UUID, read: Read) -> BankKnowledgeOut:
    """Asked by collections before it suspends, where its policy says how old this knowledge may be."""

    async def load_bank_knowledge(unit: Unit) -> BankKnowledgeOut:
        await account_queries.get_account(unit, account_id)
        knowledge = await bank_knowledge_queries.get_account_bank_knowledge(unit, account_id)
        return BankKnowledgeOut(
            account_id=account_id, known_until=knowledge.known_until, undecided_entries=knowledge.undecided_entries
        )

    return await read(load_bank_knowledge)
