"""Mail in: it joins a case by an address that nobody guesses and a sender who is known, and decides nothing."""

import asyncio
from collections.abc import AsyncIterator
from email.message import EmailMessage
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from deploy.local.tokens import SigningKeyPair
from services.escalation.mail.mail_parser import parse_inbound_mail
from services.escalation.use_cases.bounces import MAX_OTHERS
from services.escalation.use_cases.inbound_mails import ArrivedMail, receive_inbound_mail
from services.escalation.use_cases.mail_claims import MailClaim
from shared.outside.mail import build_message_id
from shared.persistence.audit import AuditedAct
from shared.persistence.database import Cause
from shared.pure.bounces import build_envelope_sender, compute_bounce_id, create_mail_secret
from tests.builders import Database, account, build_registered, hear
from tests.component.case_mails import MailDesk, bounce, opened_desk, reply


@pytest.fixture
async def desk(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[MailDesk]:
    async with opened_desk(database, keys, jwks_file) as opened:
        yield opened


async def check_merging(desk: MailDesk, case_id: str, mail: EmailMessage) -> None:
    """Check that an unread answer goes along into another case, and that the next one comes there."""
    other_id = await desk.open("The same question")
    await desk.do(case_id, "reopen")
    await desk.do(case_id, "merge", into_case_id=other_id)
    assert (await desk.client.got(f"/v1/cases/{other_id}"))["unread_answers"] == 1
    await desk.hand_over(reply(mail, "And one more."))
    assert (await desk.client.got(f"/v1/cases/{other_id}"))["unread_answers"] == 2


async def test_an_answer_joins_its_case_and_changes_only_whose_turn_it_is(desk: MailDesk) -> None:
    person_id = await desk.add_person()
    case_id = await desk.open()
    await desk.do(case_id, "start")
    await desk.write(case_id)
    (mail,) = await desk.send()
    await desk.do(case_id, "wait", waiting_for="customer")
    taken = await desk.hand_over(reply(mail, "We withdraw, and promise to pay.\n> quoted", message_id="<1@a.example>"))
    assert taken["state"] == "joined"
    assert set(taken) == {"id", "state"}, "nothing is quoted back"
    case = await desk.client.got(f"/v1/cases/{case_id}")
    assert (case["state"], case["unread_answers"]) == ("in_progress", 1)
    (entry,) = await desk.entries(case_id, kind="mail_in")
    assert (entry["audience"], entry["actor"]) == ("customer", None)
    assert entry["content"] == "We withdraw, and promise to pay.\n> quoted"
    assert entry["details"]["contact_person_id"] == person_id
    assert [item["id"] for item in (await desk.client.got("/v1/cases", has_unread=True))["items"]] == [case_id]
    assert await desk.events("CustomerContacted") != []
    await desk.write(case_id, "Thank you.")
    assert (await desk.send())[1]["In-Reply-To"] == "<1@a.example>"
    await desk.do(case_id, "resolve", outcome="it is the set-up charge")
    await desk.write(case_id, about_outcome=True)
    await desk.send()
    assert await desk.refuse(f"/v1/cases/{case_id}:close", {"reason": "done"}) == (409, "unread_answer")
    await desk.client.create(f"/v1/cases/{case_id}:read", {"last_entry_id": entry["id"]})
    await desk.do(case_id, "close")
    resolving = {"outcome": "another one", "reason": "as agreed"}
    assert await desk.refuse(f"/v1/cases/{case_id}:resolve", resolving) == (409, "move_refused")
    again = await desk.hand_over(reply(mail, "But that is wrong."))
    assert again["state"] == "joined"
    case = await desk.client.got(f"/v1/cases/{case_id}")
    assert (case["state"], case["unread_answers"]) == ("closed", 1), "a mail opens nothing again"
    support = await desk.client.got(f"/v1/accounts/{desk.account_id}/support")
    assert [shown["id"] for shown in support["cases"]] == [case_id]
    await desk.client.create(f"/v1/cases/{case_id}:read", {"last_entry_id": entry["id"]})
    assert (await desk.client.got(f"/v1/cases/{case_id}"))["unread_answers"] == 1, "what came later is not read"
    await check_merging(desk, case_id, mail)
    rows = await desk.database.rows("SELECT data::text AS data FROM escalation.outbox")
    assert not any("withdraw" in row["data"] or "alpenrose" in row["data"] for row in rows)


async def test_all_else_waits_in_triage(desk: MailDesk) -> None:
    case_id = await desk.open()
    number = (await desk.client.got(f"/v1/cases/{case_id}"))["number"]
    await desk.write(case_id)
    (mail,) = await desk.send()
    stranger = reply(mail, From="Stranger <stranger@else.example>")
    guesses = [f"support+{number}@reseller.example", f"support+{'0' * 32}@reseller.example", "support@reseller.example"]
    for address in guesses:
        assert (await desk.hand_over(reply(mail, to=address)))["state"] == "triage"
    assert (await desk.hand_over(stranger))["state"] == "triage"
    ambiguous = reply(mail, From=f"{mail['To']}, stranger@else.example")
    assert (await desk.hand_over(ambiguous))["state"] == "triage"
    disguised = reply(mail, From=f'"{mail["To"]}" <stranger@else.example>')
    assert (await desk.hand_over(disguised))["state"] == "triage"
    desk.door.shut = True
    unchecked = await desk.hand_over(reply(mail))
    desk.door.shut = False
    customer = str(mail["To"])
    assert await desk.triage() == [
        *[(customer, "no_case_address")] * 3,
        ("stranger@else.example", "sender_unknown"),
        (None, "sender_unknown"),
        ("stranger@else.example", "sender_unknown"),
        (customer, "sender_unchecked"),
    ]
    assert await desk.entries(case_id, kind="mail_in") == []
    path = f"/v1/inbound-mails/{unchecked['id']}"
    joined = await desk.client.create(f"{path}:join", {"case_id": case_id, "reason": "asked them"})
    assert (joined["state"], joined["case_id"]) == ("joined", case_id)
    assert (await desk.entries(case_id, kind="mail_in"))[0]["content"] == "We ordered ten."
    assert await desk.refuse(f"{path}:discard", {"reason": "nobody's"}) == (409, "move_refused")
    first, second = [mail["id"] for mail in (await desk.client.got("/v1/inbound-mails", state="triage"))["items"]][:2]
    discarded = await desk.client.create(f"/v1/inbound-mails/{first}:discard", {"reason": "nobody's"})
    assert discarded["state"] == "discarded"
    opening = {"kind": "billing_question", "account_id": desk.account_id, "subject": "Seats"}
    opened = await desk.client.create(f"/v1/inbound-mails/{second}:open-case", opening)
    assert (await desk.client.got(f"/v1/cases/{opened['case_id']}"))["unread_answers"] == 1
    assert await desk.refuse(f"/v1/inbound-mails/{second}:open-case", opening) == (409, "move_refused")


async def test_a_mail_is_taken_once_for_its_message_id(desk: MailDesk) -> None:
    case_id = await desk.open()
    await desk.write(case_id)
    (mail,) = await desk.send()
    answer = reply(mail, message_id="<same@a.example>")
    taken = await asyncio.gather(*(desk.hand_over(answer, key=f"try-{number}") for number in range(3)))
    assert len({copy["id"] for copy in taken}) == 1
    by_another_way = b"Received: from relay.example\r\nX-Spam: no\r\n" + answer.as_bytes()
    assert await desk.hand_over(by_another_way) == taken[0]
    others = [reply(mail, text, message_id="<same@a.example>") for text in ("Something else.", "And else.")]
    states = [(await desk.hand_over(other))["state"] for other in others]
    assert states == ["triage"] * 2
    assert await desk.triage() == [(str(mail["To"]), "message_id_reused")] * 2
    assert len(await desk.entries(case_id, kind="mail_in")) == 1
    nameless = answer.as_bytes().replace(b"message-id: <same@a.example>\n", b"")
    assert nameless != answer.as_bytes()
    assert (await desk.hand_over(nameless, key="a"))["id"] == (await desk.hand_over(nameless, key="b"))["id"]


async def test_what_machines_write_stands_in_the_thread_and_changes_nothing(desk: MailDesk) -> None:
    case_id = await desk.open()
    await desk.do(case_id, "start")
    await desk.write(case_id)
    (mail,) = await desk.send()
    await desk.do(case_id, "wait", waiting_for="customer")
    before = await desk.client.got(f"/v1/cases/{case_id}")
    with_file = reply(mail, "I am away.", auto_submitted="auto-replied")
    with_file.add_attachment("a,b", subtype="csv", filename="list.csv")
    to_envelope = reply(mail, to=desk.hop.senders[0], auto_submitted="auto-replied")
    machines: list[EmailMessage | bytes] = [
        with_file,
        to_envelope,
        *(reply(mail, **{name: text}) for name, text in MACHINE_HEADERS),
        write_receipt(mail),
    ]
    taken = [await desk.hand_over(machine) for machine in machines]
    assert {mail["state"] for mail in taken} == {"automatic"}
    for stranger in ({"from": "x@else.example"}, {"to": "support@reseller.example"}):
        assert (await desk.hand_over(reply(mail, auto_submitted="auto-replied", **stranger)))["state"] == "automatic"
    entries = await desk.entries(case_id, kind="mail_in")
    assert [entry["details"]["inbound_mail_id"] for entry in entries] == [mail["id"] for mail in taken]
    assert (entries[0]["content"], entries[0]["details"]["is_automatic"]) == ("I am away.", True)
    assert (entries[0]["details"]["files"], entries[0]["details"]["refused_files"]) == ([], ["list.csv"])
    assert await desk.client.got(f"/v1/cases/{case_id}") == before, "no turn, no clock and no unread answer"
    assert len(await desk.send()) == 1, "nothing is answered by itself"
    again = {"case_id": case_id, "reason": "asked them"}
    assert await desk.refuse(f"/v1/inbound-mails/{taken[0]['id']}:join", again) == (409, "move_refused")
    assert (await desk.hand_over(reply(mail, auto_submitted="no", message_id="<1@a.example>")))["state"] == "joined"
    await desk.hand_over(reply(mail, auto_submitted="auto-replied"))
    assert (await desk.client.got(f"/v1/cases/{case_id}"))["unread_answers"] == 1
    answered = (await desk.entries(case_id, kind="mail_in"))[-2]["id"]
    assert (await desk.client.create(f"/v1/cases/{case_id}:read", {"last_entry_id": answered}))["unread_answers"] == 0
    await desk.write(case_id, "Thank you.")
    assert (await desk.send())[1]["In-Reply-To"] == "<1@a.example>"


MACHINE_HEADERS = (
    ("return_path", "<>"),
    ("precedence", "bulk"),
    ("list_id", "<all.customer.example>"),
    ("x_auto_response_suppress", "All"),
)


def write_receipt(of: EmailMessage) -> bytes:
    """Write what a mail program reports when a mail is read."""
    return (
        f"From: {of['To']}\r\nTo: {of['Reply-To']}\r\nMessage-ID: <{uuid4()}@customer.example>\r\n"
        "Content-Type: multipart/report; report-type=disposition-notification; boundary=b\r\n\r\n"
        "--b\r\nContent-Type: text/plain\r\n\r\nIt was read.\r\n"
        "--b\r\nContent-Type: message/disposition-notification\r\n\r\nDisposition: manual-action; displayed\r\n\r\n"
        "--b--\r\n"
    ).encode()


async def test_a_mail_that_names_several_cases_joins_the_first_and_is_noted_in_the_others(desk: MailDesk) -> None:
    case_ids = [await desk.open(subject) for subject in ("First", "Second", "Resolved", "Merged")]
    foreign_id = (await desk.invoicing.create("/v1/accounts", account() | {"name": "Other"}))["id"]
    await hear(desk.runtime, build_registered(UUID(foreign_id)))
    foreign = await desk.client.create("/v1/cases", FOREIGN | {"account_id": foreign_id})
    addresses = []
    for case_id in (*case_ids, foreign["id"]):
        await desk.write(case_id)
        addresses.append(str((await desk.send())[-1]["Reply-To"]))
    mail = (await desk.send())[0]
    await desk.do(case_ids[2], "start")
    await desk.do(case_ids[2], "resolve", outcome="done")
    await desk.do(case_ids[3], "merge", into_case_id=case_ids[1])
    to = ", ".join(reversed(addresses))
    assert (await desk.hand_over(reply(mail, to=to)))["state"] == "joined"
    assert len(await desk.entries(case_ids[0], kind="mail_in")) == 1
    number = (await desk.client.got(f"/v1/cases/{case_ids[0]}"))["number"]
    (noted,) = await desk.entries(case_ids[1], kind="note")
    assert noted["content"] == f"a mail of the customer in case {number} names this case, too"
    assert (noted["audience"], noted["actor"]) == ("internal", None)
    for case_id in (case_ids[0], case_ids[2], foreign["id"]):
        assert await desk.entries(case_id, kind="note") == [], "nothing is said to itself, a resolved or another's case"
    assert [(await desk.client.got(f"/v1/cases/{case_id}"))["unread_answers"] for case_id in case_ids[:2]] == [1, 0]
    claim = MailClaim(UUID(case_ids[0]), UUID(desk.account_id), None, None, (UUID(case_ids[0]),))
    arrival = ArrivedMail(parse_inbound_mail(reply(mail, "Merged meanwhile.").as_bytes()), claim)
    await desk.runtime.units.run(lambda unit: receive_inbound_mail(unit, arrival, "support@reseller.example"), AS_RELAY)
    assert await desk.entries(case_ids[0], kind="note") == []


async def test_a_mail_of_a_stranger_that_names_cases_is_noted_in_the_others_once_a_person_lets_it_join(
    desk: MailDesk,
) -> None:
    case_ids = [await desk.open(subject) for subject in ("First", "Second")]
    for case_id in case_ids:
        await desk.write(case_id)
    mails = await desk.send()
    stranger = reply(
        mails[0], to=", ".join(str(mail["Reply-To"]) for mail in mails), **{"from": "eve@elsewhere.example"}
    )
    assert (await desk.hand_over(stranger))["state"] == "triage"
    (waiting,) = (await desk.client.got("/v1/inbound-mails", state="triage"))["items"]
    assert waiting["named_cases"] == case_ids
    assert [await desk.entries(case_id, kind="note") for case_id in case_ids] == [[], []]
    answer = {"case_id": case_ids[1], "reason": "asked them"}
    await desk.client.create(f"/v1/inbound-mails/{waiting['id']}:join", answer)
    number = (await desk.client.got(f"/v1/cases/{case_ids[1]}"))["number"]
    (noted,) = await desk.entries(case_ids[0], kind="note")
    assert noted["content"] == f"a mail of the customer in case {number} names this case, too"
    assert await desk.entries(case_ids[1], kind="note") == []
    (entered,) = await desk.entries(case_ids[1], kind="mail_in")
    assert "named_cases" not in entered["details"], "whoever wrote may know cases of another account"


AS_RELAY = Cause("hand-over", act=AuditedAct("mail-relay", "inbound_mail.take"))
FOREIGN = {"kind": "billing_question", "subject": "Another customer's"}


async def test_a_bounce_that_names_the_mail_opens_the_loop_again(desk: MailDesk) -> None:
    case_id = await desk.open()
    await desk.write(case_id, "We look at it.")
    (first,) = await desk.send()
    await desk.do(case_id, "resolve", outcome="it is the set-up charge")
    await desk.write(case_id, about_outcome=True)
    about_outcome = (await desk.send())[-1]
    await desk.do(case_id, "close")
    sender = desk.hop.senders[1]
    other_id = first["Message-ID"].replace(first["Message-ID"][40:60], "0" * 20)
    forged = bounce(about_outcome, "support@reseller.example").replace(
        about_outcome["Message-ID"].encode(), other_id.encode()
    )
    for harmless in (
        forged,
        bounce(about_outcome, sender, status="4.2.2"),
        bounce(about_outcome, sender, action="delayed"),
    ):
        assert (await desk.hand_over(harmless))["state"] == "bounce"
    (of_nobody,) = await desk.events("MailBounced")
    assert not any(entry["id"] in of_nobody for entry in await desk.entries(case_id, kind="mail_out"))
    assert (await desk.client.got(f"/v1/cases/{case_id}"))["state"] == "closed"
    await desk.hand_over(bounce(first, desk.hop.senders[0]))
    assert (await desk.client.got(f"/v1/cases/{case_id}"))["state"] == "closed", "it was not about the outcome"
    for _ in range(2):
        await desk.hand_over(bounce(about_outcome, "support@reseller.example"))
    case = await desk.client.got(f"/v1/cases/{case_id}")
    assert (case["state"], case["outcome"], case["closed_at"]) == ("resolved", "it is the set-up charge", None)
    assert case["inform_by"] is not None
    events = await desk.events("MailBounced")
    assert len(events) == 3
    assert '"code":"5.1.1"' in events[2]
    assert str(about_outcome["To"]) not in events[2]
    assert len(await desk.events("CaseClosingUndone")) == 1
    assert await desk.tasks() == [f"mail_bounced:{case_id}"]
    states = [entry["mail"]["state"] for entry in await desk.entries(case_id, kind="mail_out")]
    assert states == ["bounced", "bounced"]
    assert await desk.refuse(f"/v1/cases/{case_id}:close", {"reason": "done"}) == (409, "customer_not_told")


async def test_a_bounce_of_another_services_mail_is_announced_once_without_its_secret(desk: MailDesk) -> None:
    mail, secret = EmailMessage(), create_mail_secret()
    mail["To"], mail["Message-ID"] = "billing@account-17.example", build_message_id(uuid4(), secret)
    plain = EmailMessage()
    plain["To"], plain["Message-ID"] = "billing@account-17.example", build_message_id(uuid4())
    to = build_envelope_sender("support@reseller.example", secret)
    for harmless in (
        bounce(mail, "support@reseller.example", status="4.2.2"),
        bounce(mail, to, action="delayed"),
        bounce(plain, "support@reseller.example"),
    ):
        await desk.hand_over(harmless)
    assert await desk.events("MailBounced") == []
    for content in (bounce(mail, "support@reseller.example"), bounce(plain, to), bounce(mail, to)):
        assert (await desk.hand_over(content))["state"] == "bounce"
    (event,) = await desk.events("MailBounced")
    assert f'"message_id":"{compute_bounce_id(secret)}"' in event
    assert secret not in event
    assert "@" not in event
    assert await desk.tasks() == []
    many = b"".join(
        b"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: %s\r\n\r\n"
        % build_message_id(uuid4(), create_mail_secret()).encode()
        for _ in range(20)
    )
    await desk.hand_over(bounce(plain, "support@reseller.example").replace(b"--b--\r\n", many + b"--b--\r\n"))
    assert len(await desk.events("MailBounced")) == 1 + MAX_OTHERS
