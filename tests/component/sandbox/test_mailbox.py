"""The sandbox's mailbox keeps what it receives, and refuses on request."""

import sys
from collections.abc import AsyncIterator, Iterator
from email.message import EmailMessage
from pathlib import Path

import aiosmtplib
import httpx2
import pytest

from deploy.local import children, ports
from deploy.local.children import ChildProgram
from deploy.local.jars import CHECKOUT
from tests.builders import listening


class Mailbox:
    """A mailbox process on free ports, which can be started again over the same folder."""

    def __init__(self, folder: Path) -> None:
        self.smtp_port = ports.find_free_port()
        self.port = ports.find_free_port({self.smtp_port})
        places = ("--smtp-port", str(self.smtp_port), "--port", str(self.port), "--state", str(folder / "mail"))
        command = (sys.executable, "-m", "sandbox.mailbox", *places)
        self._program = ChildProgram("mailbox", command, directory=CHECKOUT)
        self._log = folder / "mailbox.log"
        self.start()

    def start(self) -> None:
        """Start the process and wait until it listens."""
        self._child = listening(self._program, self._log, self.port)

    def stop(self) -> int:
        children.end_child(self._child)
        return int(self._child.returncode)

    async def send(self, to: str, subject: str = "Invoice 17", text: str = "Hello", number: int = 1) -> None:
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = "billing@reseller.example", to, subject
        mail["Message-ID"] = f"<notice-{number}@reseller.example>"
        mail.set_content(text)
        await aiosmtplib.send(mail, hostname="127.0.0.1", port=self.smtp_port, start_tls=False)


@pytest.fixture
def mailbox(tmp_path: Path) -> Iterator[Mailbox]:
    box = Mailbox(tmp_path)
    yield box
    box.stop()


@pytest.fixture
async def client(mailbox: Mailbox) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{mailbox.port}") as client:
        assert (await client.get("/health/ready")).status_code == 200
        yield client


async def test_keeps_what_it_receives(mailbox: Mailbox, client: httpx2.AsyncClient) -> None:
    await mailbox.send("account-17@customer.example", "Rechnung für März", "Betrag: 12,50 €", number=1)
    await mailbox.send("account-18@customer.example", number=2)
    await mailbox.send("account-17@customer.example", number=1)

    to_17 = (await client.get("/v1/messages", params={"to": "Account-17@customer.example"})).json()
    assert [message["message_id"] for message in to_17["messages"]] == ["<notice-1@reseller.example>"] * 2
    first = to_17["messages"][0]
    assert (first["subject"], first["text"].strip()) == ("Rechnung für März", "Betrag: 12,50 €")
    assert first["to"] == ["account-17@customer.example"]
    whole = await client.get(f"/v1/messages/{first['id']}")
    assert "Message-ID: <notice-1@reseller.example>" in whole.text
    assert (await client.get("/v1/stats")).json() == {"count": 3, "distinct_message_ids": 2}
    assert (await client.get("/v1/messages/999999999")).status_code == 404


async def test_pages_follow_one_another(mailbox: Mailbox, client: httpx2.AsyncClient) -> None:
    for number in range(5):
        await mailbox.send("account-17@customer.example", f"mail {number}", number=number)

    seen: list[str] = []
    after: str | None = ""
    while after is not None:
        page = (await client.get("/v1/messages", params={"limit": 2, "after": after})).json()
        seen += [message["subject"] for message in page["messages"]]
        after = page["next"]

    assert seen == [f"mail {number}" for number in range(5)]


async def test_survives_a_restart(mailbox: Mailbox, client: httpx2.AsyncClient) -> None:
    await mailbox.send("account-17@customer.example", number=1)
    before = (await client.get("/v1/messages")).json()

    assert mailbox.stop() in (0, -15)
    mailbox.start()

    assert (await client.get("/v1/messages")).json() == before
    await mailbox.send("account-17@customer.example", number=2)
    assert (await client.get("/v1/stats")).json()["count"] == 2


@pytest.mark.parametrize("reply", [550, 451])
async def test_refuses_a_recipient_as_often_as_asked(mailbox: Mailbox, client: httpx2.AsyncClient, reply: int) -> None:
    fault = {"recipient": "account-17@customer.example", "reply": reply, "times": 1}
    assert (await client.post("/v1/faults", json=fault)).status_code == 201

    await mailbox.send("account-18@customer.example", number=1)
    with pytest.raises(aiosmtplib.SMTPRecipientsRefused) as refused:
        await mailbox.send("account-17@customer.example", number=2)
    await mailbox.send("account-17@customer.example", number=2)

    assert refused.value.recipients[0].code == reply
    assert (await client.get("/v1/stats")).json() == {"count": 2, "distinct_message_ids": 2}


async def test_faults_can_be_cleared(mailbox: Mailbox, client: httpx2.AsyncClient) -> None:
    fault = {"recipient": "account-17@customer.example", "reply": 550, "times": 100}
    await client.post("/v1/faults", json=fault)

    assert (await client.delete("/v1/faults")).status_code == 204

    await mailbox.send("account-17@customer.example")
    assert (await client.get("/v1/stats")).json()["count"] == 1


async def test_the_page_shows_mail_as_text_only(mailbox: Mailbox, client: httpx2.AsyncClient) -> None:
    await mailbox.send("account-17@customer.example", "<script>alert(1)</script>", "<b>bold</b>")

    page = (await client.get("/")).text

    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>" not in page
    assert "<b>bold</b>" not in page
