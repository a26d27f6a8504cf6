"""Messages to customers over REST: sent as mail from a case."""

from typing import Annotated
from uuid import UUID

from fastapi import Response
from pydantic import Field

from services.escalation import use_cases
from services.escalation.api.case_bodies import Description
from services.escalation.api.threads import EntryOut
from services.escalation.domain.mails import CaseAccountMissing, OutcomeUnknown
from services.escalation.domain.state_moves import StateMoveRefused
from services.escalation.use_cases.messages import NewMessage
from shared.persistence.database import Unit
from shared.pure.fields import RequestBody, set_model_example
from shared.web.auth import needs
from shared.web.commands import CommandRunner, perform_command
from shared.web.http import PROBLEMS, Router, refusals

writes = Router(prefix="/v1/cases", tags=["cases"], dependencies=[needs("escalation:write")], responses=PROBLEMS)


class MessageIn(RequestBody):
    """A message to the customer; greeting, closing and how to answer are added in the reader's language."""

    model_config = set_model_example(content="Line 3 is the set-up charge of February.", about_outcome=True)

    content: Description
    about_outcome: bool = Field(description="whether it tells the outcome, which is known then")
    contact_person_id: UUID | None = Field(
        default=None, description="without one that of the case, else whoever has the role for its kind"
    )


class MailResendIn(RequestBody):
    """Whom a message is sent to again."""

    model_config = set_model_example(contact_person_id="01a20d66-0b3d-7e92-a6c7-58f10d4b2e39")

    contact_person_id: UUID | None = Field(default=None, description="without one whoever it was for before")


@writes.post(
    "/{case_id}/messages",
    status_code=201,
    response_model=EntryOut,
    summary="Write to the customer",
    responses=refusals(StateMoveRefused, CaseAccountMissing, OutcomeUnknown),
)
async def write_message(
    case_id: UUID, message: MessageIn, command: Annotated[CommandRunner, perform_command("case.write")]
) -> Response:
    """Send a message as mail; the entry shows what became of it, and it is a contact once it was delivered."""
    new = NewMessage(**message.model_dump())

    async def write(unit: Unit) -> EntryOut:
        entry, mail = await use_cases.messages.write_case_message(unit, case_id, new, command.caller.subject)
        return EntryOut.from_row(entry, mail)

    return await command.run(write, subject=case_id)


@writes.post(
    "/{case_id}/messages/{entry_id}:resend",
    status_code=201,
    response_model=EntryOut,
    summary="Send a message again",
    responses=refusals(StateMoveRefused, CaseAccountMissing, OutcomeUnknown),
)
async def resend_message(
    case_id: UUID,
    entry_id: UUID,
    wanted: MailResendIn,
    command: Annotated[CommandRunner, perform_command("case.resend")],
) -> Response:
    """Send the words of a message again that was refused or came back, as a new message."""

    async def resend(unit: Unit) -> EntryOut:
        entry, mail = await use_cases.messages.resend_customer_message(
            unit, case_id, entry_id, wanted.contact_person_id, command.caller.subject
        )
        return EntryOut.from_row(entry, mail)

    return await command.run(resend, subject=case_id)
