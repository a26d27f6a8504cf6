"""The HTTP side: what was received, for programs and for people; and faults on request."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from email.message import Message
from typing import Annotated, Any, Literal

import httpx2
from fastapi import FastAPI, HTTPException, Query, Response
from fastapi.responses import HTMLResponse, PlainTextResponse
from jinja2 import Environment
from pydantic import BaseModel, ConfigDict, Field

from sandbox.mailbox.relay import MailRelay, write_bounce_mail, write_reply_mail
from sandbox.mailbox.smtp import MailIntake, RecipientFault, SmtpLogin, run_smtp_server
from shared.web.http.pages import add_api_pages

PAGE = Environment(autoescape=True).from_string("""\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Mailbox</title>
<style>
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
  summary { display: flex; gap: 1rem; cursor: pointer; padding: .4rem 0; border-top: 1px solid #ddd; }
  summary b { flex: 1; font-weight: 600; }
  summary span { color: #666; }
  pre { white-space: pre-wrap; background: #f6f6f4; padding: 1rem; }
</style>
<h1>Mailbox</h1>
<p>{{ count }} messages{% if messages|length < count %}, the newest {{ messages|length }} of them{% endif %}.</p>
{% for one in messages %}
<details>
  <summary><b>{{ one.subject }}</b> <span>{{ one.to|join(", ") }}</span></summary>
  <p><a href="/v1/messages/{{ one.id }}">the whole message</a></p>
  <pre>{{ one.text }}</pre>
</details>
{% endfor %}
""")
ON_PAGE = 200


class MessageView(BaseModel):
    """One message that was received."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    message_id: str
    to: tuple[str, ...]
    subject: str
    received_at: datetime
    text: str


class MessagePage(BaseModel):
    """Messages in the order of arrival; `next` is the `after` of the next page."""

    messages: list[MessageView]
    next: str | None


class MailboxStats(BaseModel):
    """`count` of all messages, and of different Message-IDs among them."""

    count: int
    distinct_message_ids: int


class FaultRequest(BaseModel):
    """Refuse this recipient with this reply, so many times."""

    recipient: str = Field(min_length=3)
    reply: Literal[550, 451]
    times: int = Field(default=1, ge=1)


class ReplyRequest(BaseModel):
    """Reply of a customer to a mail; without a sender it is from the one who got it."""

    text: str = Field(min_length=1, max_length=20_000)
    sender: str | None = Field(default=None, min_length=3, max_length=254)


class BounceRequest(BaseModel):
    """Bounce of a mail, with the code of its delivery status (RFC 3463)."""

    status: str = Field(default="5.1.1", pattern=r"^[45]\.\d{1,3}\.\d{1,3}$")


def create_app(
    intake: MailIntake, host: str, smtp_port: int, doorkeeper: SmtpLogin | None = None, relay: MailRelay | None = None
) -> FastAPI:
    """The application; the SMTP server lives as long as it does, on the same loop."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with run_smtp_server(intake, host, smtp_port, doorkeeper):
            yield

    app = FastAPI(title="Mailbox", lifespan=lifespan, docs_url=None, redoc_url=None)
    add_api_pages(app)
    _add_reading(app, intake)
    _add_replies(app, intake, relay)
    _add_faults(app, intake)
    _add_health(app)
    return app


def _add_reading(app: FastAPI, intake: MailIntake) -> None:
    store = intake.store

    @app.get("/v1/messages")
    async def messages(
        to: str | None = None,
        after: str = "",
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> MessagePage:
        """Messages after an id, to one recipient if one is named."""
        page = store.page(to, after, limit)
        views = [MessageView.model_validate(message) for message in page]
        return MessagePage(messages=views, next=page[-1].id if len(page) == limit else None)

    @app.get("/v1/newest-messages")
    async def newest(limit: Annotated[int, Query(ge=1, le=1000)] = 100) -> MessagePage:
        """List the last messages, the newest first."""
        views = [MessageView.model_validate(message) for message in store.get_newest_mail(limit)]
        return MessagePage(messages=views, next=None)

    @app.get("/v1/messages/{identifier}", response_class=PlainTextResponse)
    async def message(identifier: str) -> str:
        """The whole message as it was received."""
        content = store.read_mail_content(identifier)
        if content is None:
            raise HTTPException(404, f"no message {identifier}")
        return content

    @app.get("/v1/stats")
    async def stats() -> MailboxStats:
        """How much was received."""
        count, distinct = store.count_mails()
        return MailboxStats(count=count, distinct_message_ids=distinct)

    @app.get("/", response_class=HTMLResponse)
    async def page() -> str:
        """The newest messages, for a person."""
        return PAGE.render(messages=store.get_newest_mail(ON_PAGE), count=store.count_mails()[0])


def _add_replies(app: FastAPI, intake: MailIntake, relay: MailRelay | None) -> None:
    @app.post("/v1/messages/{identifier}/replies", status_code=201)
    async def reply(identifier: str, request: ReplyRequest) -> dict[str, Any]:
        """Reply to a mail as a customer does; what the service says that takes mails in."""
        content = _get_content(intake, identifier)
        return await _hand_over(relay, write_reply_mail(content, request.text, request.sender))

    @app.post("/v1/messages/{identifier}/bounces", status_code=201)
    async def bounce(identifier: str, request: BounceRequest) -> dict[str, Any]:
        """Let a mail come back, as its recipient's server does; what the service says that takes mails in."""
        return await _hand_over(relay, write_bounce_mail(_get_content(intake, identifier), request.status))


def _get_content(intake: MailIntake, identifier: str) -> str:
    content = intake.store.read_mail_content(identifier)
    if content is None:
        raise HTTPException(404, f"no message {identifier}")
    return content


async def _hand_over(relay: MailRelay | None, mail: Message) -> dict[str, Any]:
    if relay is None:
        raise HTTPException(409, "nobody takes replies here")
    try:
        return await relay.hand_mail_over(mail)
    except httpx2.HTTPError as error:
        raise HTTPException(502, f"the mail was not taken: {type(error).__name__}") from error


def _add_faults(app: FastAPI, intake: MailIntake) -> None:
    @app.post("/v1/faults", status_code=201)
    async def add(fault: FaultRequest) -> list[RecipientFault]:
        """Add a fault; the answer lists all that are active."""
        intake.faults.append(RecipientFault(fault.recipient, fault.reply, fault.times))
        return [fault for fault in intake.faults if fault.times > 0]

    @app.delete("/v1/faults", status_code=204)
    async def clear() -> Response:
        """Refuse nobody any more."""
        intake.faults.clear()
        return Response(status_code=204)


def _add_health(app: FastAPI) -> None:
    @app.get("/health/live")
    @app.get("/health/ready")
    async def well() -> dict[str, str]:
        """It listens on both ports as soon as it answers."""
        return {"status": "ok"}
