"""Files of cases: kept by their content, given out as what no browser runs, brought by people and by mails."""

import io
import zipfile
from collections.abc import AsyncIterator
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from deploy.local.tokens import SigningKeyPair
from services.escalation.domain.attachments import CHUNK_BYTES, MAX_FILE_BYTES
from tests.builders import Database, sweep
from tests.component.case_mails import MailDesk, opened_desk, reply

PDF = b"%PDF-1.7\n%\xe2\xe3\n"


def pack(*parts: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for part in parts:
            archive.writestr(part, b"<x/>")
    return packed.getvalue()


KEPT = {
    "a.pdf": (PDF, "application/pdf", "a.pdf"),
    "order.html": (b"%PDF-1.4 <script>", "application/pdf", "order.html.pdf"),
    "a.png": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(20), "image/png", "a.png"),
    "../../x.JPG": (b"\xff\xd8\xff\xe0\0\x10JFIF\0" + bytes(20), "image/jpeg", "_.._x.JPG"),
    "list.csv": ("Plätze;12\n".encode(), "text/plain", "list.csv"),
    "run.bat": (b"del *", "text/plain", "run.bat.txt"),
    "a.docx": (
        pack("[Content_Types].xml", "word/document.xml"),
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "a.docx",
    ),
}
REFUSED = {
    "a.pdf": b"MZ\x90\0" + bytes(60),
    "b.txt": b"<html><script>alert(1)</script>",
    "c.txt": b"\xef\xbb\xbf <svg xmlns='http://www.w3.org/2000/svg'>",
    "d.png": b"<svg/>",
    "e.docx": pack("word/document.xml", "word/vbaProject.bin"),
    "f.docx": pack("a.exe"),
    "g.txt": b"a\0b",
    "h.txt": b"\xff\xfe",
    "i.txt": b"",
    "j.zip": b"PK\x03\x04broken",
}


@pytest.fixture
async def desk(database: Database, keys: SigningKeyPair, jwks_file: Path) -> AsyncIterator[MailDesk]:
    async with opened_desk(database, keys, jwks_file) as opened:
        yield opened


async def upload(desk: MailDesk, case_id: str, content: Any, **query: str) -> Any:
    headers = desk.client.headers | {"content-type": "application/octet-stream", "idempotency-key": str(uuid4())}
    path = f"/v1/cases/{case_id}/attachments"
    return await desk.client.http.post(path, content=content, params=query, headers=headers)


async def test_files_are_kept_by_their_content_and_run_nowhere(desk: MailDesk) -> None:
    case_id = await desk.open()
    for name, (content, media_type, saved_name) in KEPT.items():
        answer = (await upload(desk, case_id, content, name=name, audience="customer")).json()
        assert (answer["media_type"], answer["name"]) == (media_type, saved_name)
        assert (answer["sha256"], answer["size_bytes"]) == (sha256(content).hexdigest(), len(content))
        download = await desk.client.get(f"/v1/attachments/{answer['id']}/content")
        assert download.content == content
        assert download.headers["content-type"] == "application/octet-stream"
        assert download.headers["content-disposition"].startswith("attachment;")
        assert download.headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in download.headers["content-security-policy"]
    for name, content in REFUSED.items():
        refused = await upload(desk, case_id, content, name=name)
        assert (refused.status_code, refused.json()["code"]) == (422, "file_type_refused"), name
    files = (await desk.client.got(f"/v1/cases/{case_id}/attachments"))["items"]
    assert [file["name"] for file in files] == [saved_name for _, _, saved_name in KEPT.values()]
    entries = await desk.entries(case_id, kind="attachment", audience="customer")
    assert [entry["content"] for entry in entries] == [file["name"] for file in files]
    assert entries[0]["details"]["sha256"] == sha256(PDF).hexdigest()


async def test_a_large_file_is_kept_in_chunks_and_a_larger_one_is_refused(desk: MailDesk) -> None:
    case_id = await desk.open()

    async def send_pieces(size_bytes: int) -> AsyncIterator[bytes]:
        yield PDF
        for _ in range(size_bytes // 65536):
            yield bytes(65536)

    answer = await upload(desk, case_id, send_pieces(3 * CHUNK_BYTES), name="a.pdf")
    assert answer.status_code == 201, answer.text
    sizes = await desk.database.rows("SELECT length(content) AS size FROM escalation.attachment_chunks ORDER BY place")
    assert [row["size"] for row in sizes] == [CHUNK_BYTES] * 3 + [len(PDF)]
    download = await desk.client.get(f"/v1/attachments/{answer.json()['id']}/content")
    assert download.content == PDF + bytes(3 * CHUNK_BYTES)
    too_large = await upload(desk, case_id, send_pieces(MAX_FILE_BYTES + 65536), name="a.pdf")
    assert (too_large.status_code, too_large.json()["code"]) == (413, "body_too_large")
    other_id = await desk.open("another one")
    await desk.do(other_id, "merge", into_case_id=case_id)
    merged = await upload(desk, other_id, PDF, name="a.pdf")
    assert (merged.status_code, merged.json()["code"]) == (409, "move_refused")
    await desk.database.execute(
        "INSERT INTO escalation.attachments (id, case_id, audience, name, media_type, size_bytes, sha256, added_at)"
        " SELECT gen_random_uuid(), $1::text::uuid, 'internal', 'a', 'text/plain', 1, '', now()"
        " FROM generate_series(1, 199)",
        case_id,
    )
    crowded = await upload(desk, case_id, PDF, name="a.pdf")
    assert (crowded.status_code, crowded.json()["code"]) == (409, "too_many_attachments")


async def test_files_of_mails_are_kept_by_the_same_rules(desk: MailDesk) -> None:
    case_id = await desk.open()
    await desk.write(case_id)
    (mail,) = await desk.send()
    answer = reply(mail)
    answer.add_attachment(PDF, maintype="application", subtype="pdf", filename="order.exe")
    answer.add_attachment(b"MZ\x90\0", maintype="application", subtype="pdf", filename="good.pdf")
    await desk.hand_over(answer)
    (entry,) = await desk.entries(case_id, kind="mail_in")
    assert (entry["details"]["files"], entry["details"]["refused_files"]) == (["order.exe.pdf"], ["good.pdf"])
    (file,) = (await desk.client.got(f"/v1/cases/{case_id}/attachments"))["items"]
    assert (file["name"], file["audience"], file["added_by"]) == ("order.exe.pdf", "customer", None)
    assert (await desk.client.get(f"/v1/attachments/{file['id']}/content")).content == PDF
    stranger = reply(mail, From="stranger@else.example")
    stranger.add_attachment(PDF, maintype="application", subtype="pdf", filename="order.pdf")
    waiting = await desk.hand_over(stranger)
    (kept,) = (await desk.client.got(f"/v1/inbound-mails/{waiting['id']}/attachments"))["items"]
    assert kept["case_id"] is None
    joining = {"case_id": case_id, "reason": "asked them"}
    await desk.client.create(f"/v1/inbound-mails/{waiting['id']}:join", joining)
    assert len((await desk.client.got(f"/v1/cases/{case_id}/attachments"))["items"]) == 2
    machine = reply(mail, auto_submitted="auto-replied")
    machine.add_attachment(PDF, maintype="application", subtype="pdf", filename="order.pdf")
    await desk.hand_over(machine)
    assert await desk.database.value("SELECT count(*) FROM escalation.attachments") == 2


async def test_files_of_mails_beyond_the_bound_of_a_case_stay_with_their_mail(
    desk: MailDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.escalation.use_cases.attachments.MAX_ATTACHMENTS", 3)
    case_id = await desk.open()
    await desk.write(case_id)
    (mail,) = await desk.send()
    for content in (b"one", b"two"):
        assert (await upload(desk, case_id, content, name="a.txt")).status_code == 201
    answer, stranger = reply(mail, "Here they are."), reply(mail, From="stranger@else.example")
    for number in (1, 2):
        answer.add_attachment(f"a,{number}", subtype="csv", filename=f"{number}.csv")
        stranger.add_attachment(f"b,{number}", subtype="csv", filename=f"{number}.csv")
    taken, waiting = [await desk.hand_over(written) for written in (answer, stranger)]
    joining = {"case_id": case_id, "reason": "asked them"}
    by_hand = await desk.client.create(f"/v1/inbound-mails/{waiting['id']}:join", joining)
    assert (by_hand["files"], by_hand["unplaced_files"]) == ([], ["1.csv", "2.csv"])
    entry, _ = await desk.entries(case_id, kind="mail_in")
    assert (entry["content"], entry["details"]["files"], entry["details"]["unplaced_files"]) == (
        "Here they are.",
        ["1.csv"],
        ["2.csv"],
    )
    assert len((await desk.client.got(f"/v1/cases/{case_id}/attachments"))["items"]) == 3
    files = (await desk.client.got(f"/v1/inbound-mails/{taken['id']}/attachments"))["items"]
    assert [file["case_id"] for file in files] == [case_id, None]
    assert (await desk.client.get(f"/v1/attachments/{files[1]['id']}/content")).content == b"a,2\n"
    await desk.do(case_id, "start")
    await desk.do(case_id, "resolve", outcome="it is done")
    last = (await desk.entries(case_id))[-1]["id"]
    await desk.client.create(f"/v1/cases/{case_id}:read", {"last_entry_id": last})
    await desk.client.create(
        f"/v1/cases/{case_id}/contacts", {"channel": "phone", "about_outcome": True, "comment": "a"}
    )
    await desk.do(case_id, "close")
    await desk.database.move(desk.database.now + timedelta(days=1100))
    await sweep(desk.runtime)
    assert (await desk.client.get(f"/v1/attachments/{files[1]['id']}/content")).status_code == 410
