"""Mails of others are read with bounds, whatever they say of themselves."""

import time
from email.message import EmailMessage
from email.policy import SMTP

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.escalation.domain.inbound_mails import InboundMail
from services.escalation.mail.mail_beginnings import read_mail_beginning
from services.escalation.mail.mail_decoding import convert_html_mail
from services.escalation.mail.mail_parser import MAX_FILES, parse_inbound_mail
from tests.examples import scale_examples

HEAD = b"From: Ines <Ines@Alpenrose.Example>\r\nMessage-ID: <1@a.example>\r\n"


def read(rest: bytes) -> InboundMail:
    return parse_inbound_mail(HEAD + rest)


def test_the_text_of_a_mail_is_what_people_see() -> None:
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["Subject"] = "Ines <ines@alpenrose.example>", "Größe"
    mail.set_content("Zwölf Plätze.\n> quoted\n")
    mail.add_alternative("<p>HTML</p>", subtype="html")
    mail.add_attachment(b"%PDF-1.7", maintype="application", subtype="pdf", filename="Größe\u202e.pdf")
    mail.add_attachment("a,b", subtype="csv", filename="list.csv")
    found_mail = parse_inbound_mail(mail.as_bytes())
    assert (found_mail.content, found_mail.subject) == ("Zwölf Plätze.\n> quoted", "Größe")
    assert found_mail.sender == "ines@alpenrose.example"
    assert [(file.name, file.content[:5]) for file in found_mail.files] == [
        ("Größe.pdf", b"%PDF-"),
        ("list.csv", b"a,b\r\n"),
    ]


def test_html_is_shown_as_text() -> None:
    html = (
        "<head><title>x</title></head><p>Hello <b>you</b></p><script>alert(1)</script>a<br>b<style>p{}</style>&lt;i&gt;"
    )
    assert convert_html_mail(html).split("\n") == ["", "Hello you", "a", "b<i>"]
    mail = read(b"Content-Type: text/html; charset=utf-8\r\n\r\n<div>Zw\xc3\xb6lf</div><!-- hidden --><div>Seats</div>")
    assert mail.content == "Zwölf\n\nSeats"


@pytest.mark.parametrize(
    ("rest", "content"),
    [
        (b"Content-Type: text/plain; charset=klingon\r\n\r\nZw\xc3\xb6lf", "Zwölf"),
        (b"Content-Type: text/plain; charset=utf-8\r\n\r\nZw\xf6lf", "Zwölf"),
        (b"Content-Type: text/plain; charset=punycode\r\n\r\nbcher-kva", "bcher-kva"),
        (b"\r\n" + b"a" * 100_000, "a" * 20_000),
        (b"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!", ""),
        (b"Content-Type: multipart/mixed\r\n\r\nno boundary", ""),
        (b"\r\na\x00b\x1b[31m\xe2\x80\xae", "ab[31m"),
    ],
    ids=lambda text: str(text)[:60],
)
def test_a_text_is_read_whatever_its_charset(rest: bytes, content: str) -> None:
    assert read(rest).content == content


@pytest.mark.parametrize("subject", ["=?utf-8?q?a=0d=0aBcc:_x@y.example?=", "a\r\n b", "=?klingon?b?YQ==?=", "\xe4"])
def test_a_subject_is_one_line(subject: str) -> None:
    subject_line = read(b"Subject: " + subject.encode("latin-1") + b"\r\n\r\nhi").subject
    assert subject_line
    assert "\n" not in subject_line
    assert "\r" not in subject_line


@pytest.mark.parametrize(
    ("sender", "address"),
    [
        ("ines@alpenrose.example", "ines@alpenrose.example"),
        ('"Alpenrose, Ines" <ines@alpenrose.example>', "ines@alpenrose.example"),
        ('"ines@alpenrose.example" <x@else.example>', "x@else.example"),
        ("ines@alpenrose.example, x@else.example", None),
        ("ines@alpenrose.example) <x@else.example", None),
        ("<ines@alpenrose.example> <x@else.example>", None),
        ("x@else.example\r\nFrom: ines@alpenrose.example", None),
        ("nobody", None),
    ],
)
def test_a_sender_is_exactly_one_address(sender: str, address: str | None) -> None:
    assert parse_inbound_mail(f"From: {sender}\r\n\r\nhi".encode()).sender == address


def nest(depth: int) -> bytes:
    return b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(depth))


@pytest.mark.parametrize(
    "bomb",
    [
        nest(20),
        nest(2000),
        nest(250) + b"x\n" * 200_000,
        b"Content-Type: message/rfc822\n\n" * 20_000,
        b"Content-Type: multipart/mixed; boundary=x\n\n" + b"--x\n\nhi\n" * 1000,
        b"X: " + b"a" * 300_000 + b"\n\nhi",
        b"\n" * 2_000_000,
        b"Content-Type: multipart/mixed" + b"; a=b" * 30_000 + b"\n\nhi",
        b"Content-Type: multipart/mixed; boundary=x\n\n--x\nContent-Disposition: attachment" + b'; a="' * 200_000,
        b"Content-Type: multipart/mixed; boundary=x\n\n--x\n" + b"a: b\n" * 100_000,
    ],
    ids=lambda bomb: f"{len(bomb)} bytes",
)
def test_what_is_beyond_the_bounds_is_not_read(bomb: bytes) -> None:
    begin = time.process_time()
    mail = parse_inbound_mail(b"From: a@b.example\n" + bomb)
    assert not mail.is_readable
    assert mail.sender == "a@b.example"
    assert mail.get_mail_key.startswith("sha256:")
    assert time.process_time() - begin < 2


LINES = st.sampled_from(
    [
        b"Content-Type: multipart/mixed; boundary=x",
        b"Content-Type: multipart/alternative; boundary*0=x",
        b"Content-Type: multipart/report; report-type=delivery-status; boundary=x",
        b"Content-Type: message/delivery-status",
        b"Content-Type: message/rfc822",
        b"Content-Type: message/partial",
        b"Content-Type: text/html; charset*=utf-8''x",
        b"Content-Type: text/rfc822-headers",
        b"Content-Type: ;;;=",
        b"Content-Disposition: attachment; filename*0*=%FF; filename*1=a",
        b"Content-Disposition: attachment; filename==?utf-8?b?!!!?=",
        b"Content-Transfer-Encoding: base64",
        b"Content-Transfer-Encoding: x-uuencode",
        b"Content-Transfer-Encoding: quoted-printable",
        b"Original-Envelope-Id: \xff",
        b"Action: failed",
        b"Status: 5.1.1",
        b"Message-ID: <\xe4@a.example>",
        b"From: =?x?q?",
        b"Auto-Submitted: \xff",
        b"Subject: =?utf-7?b?+AAA-?= =?utf-8?q?=ff?=",
        b"begin 644 a",
        b"--x",
        b"--x--",
        b"",
        b"\xff\xfe\x00",
    ]
)


@given(st.lists(LINES | st.binary(max_size=40), max_size=30))
@settings(max_examples=scale_examples(150), deadline=None)
def test_no_mail_breaks_its_reader(lines: list[bytes]) -> None:
    mail = parse_inbound_mail(b"\r\n".join(lines))
    for text in (
        mail.subject,
        mail.content,
        mail.sender or "",
        mail.message_id or "",
        *(file.name for file in mail.files),
    ):
        assert "\0" not in text
        text.encode()


def test_a_file_without_a_name_is_called_by_its_type_as_far_as_that_can_be_seen() -> None:
    mail = parse_inbound_mail(b"Content-Type: message/delivery-status\r\n\t\x00")
    assert [file.name for file in mail.files] == ["message/delivery-status"]


@pytest.mark.parametrize("part", ["<div>", "<a b='", "<!--", "<p>a", "<script>", "<table><tr><td>a", "&", "</a"])
def test_no_html_takes_long(part: str) -> None:
    begin = time.process_time()
    convert_html_mail(part * (300_000 // len(part)))
    assert time.process_time() - begin < 2


@pytest.mark.parametrize(
    "rest",
    [
        b"Content-Type: application/pdf; name*=idna''a\r\n\r\nx",
        b"Content-Type: application/pdf; name*<%s>*=x\r\n\r\nx" % (b"9" * 5000),
        b"Content-Type: text/html; charset=utf-7\r\n\r\n<p>Anna Alpenrose +2AA-</p>",
        b"Content-Disposition: attachment; filename*=utf-7''+2AA-x\r\n\r\nx",
        b"Content-Disposition: attachment; filename*=a\0b''x\r\n\r\nx",
    ],
    ids=lambda text: str(text)[:60],
)
def test_what_breaks_a_parser_breaks_nothing_here(rest: bytes) -> None:
    assert read(rest).digest


@pytest.mark.parametrize("has_picture", [True, False])
def test_files_in_an_alternative_that_is_not_shown_are_kept_and_its_pictures_are_not(has_picture: bool) -> None:
    mail = EmailMessage(policy=SMTP)
    mail.set_content("The order is attached.")
    shown = EmailMessage(policy=SMTP)
    shown.set_content("<p>The order is attached.</p>", subtype="html")
    if has_picture:
        shown.add_related(b"GIF89a", maintype="image", subtype="gif", cid="<logo>")
    shown.add_attachment(b"%PDF-1.7", maintype="application", subtype="pdf", filename="order.pdf")
    mail.make_alternative()
    mail.attach(shown)
    arrived = read(mail.as_bytes())
    assert (arrived.content, [file.name for file in arrived.files]) == ("The order is attached.", ["order.pdf"])


def test_lines_are_counted_however_they_end() -> None:
    for end in (b"\r", b"\n", b"\r\n"):
        assert read(b"\r\n" + (b"a" + end) * 390_000).is_readable
        assert not read(b"\r\n" + (b"a" + end) * 410_000).is_readable


def test_an_unreadable_mail_says_who_wrote_it_and_about_what() -> None:
    head = b"Subject: =?utf-8?q?Gr=C3=B6=C3=9Fe?=\r\n of seats\r\nFrom: Ines\r\n <Ines@Alpenrose.Example>\r\n"
    mail = parse_inbound_mail(head + nest(20))
    assert (mail.is_readable, mail.sender, mail.subject) == (False, "ines@alpenrose.example", "Größe of seats")
    ambiguous = parse_inbound_mail(b"From: a@b.example\nFrom: c@d.example\n\xff: \xff\n" + nest(20))
    assert (ambiguous.sender, ambiguous.subject) == (None, "")
    later = parse_inbound_mail(b"X: y\n\nFrom: a@b.example\nSubject: z\n" + b"\n" * 2_000_000)
    assert (later.is_readable, later.sender, later.subject) == (False, None, "")


@given(st.lists(LINES | st.binary(max_size=40), max_size=30))
@settings(max_examples=scale_examples(100), deadline=None)
def test_no_head_breaks_its_reader(lines: list[bytes]) -> None:
    sender, subject = read_mail_beginning(b"\r\n".join([*lines, b"Subject: " + b"".join(lines)]))
    (sender or "").encode()
    subject.encode()
    assert "\0" not in subject


def test_no_head_takes_long() -> None:
    begin = time.process_time()
    for part in (b" ", b"\r\n ", b"\n", b"=?", b"=?utf-8?q?a?=", b'From: "', b"Subject:\n\t"):
        read_mail_beginning(b"Subject: " + part * 100_000)
    assert time.process_time() - begin < 2


@pytest.mark.parametrize("blank", ["", " \n\t\n", "\u200b\n", "\u00a0"])
@pytest.mark.parametrize("is_first", [True, False])
def test_a_plain_text_that_says_nothing_gives_way_to_the_html(blank: str, is_first: bool) -> None:
    plain, shown = EmailMessage(policy=SMTP), EmailMessage(policy=SMTP)
    plain.set_content(blank)
    shown.set_content("<p>We ordered ten.</p>", subtype="html")
    mail = EmailMessage(policy=SMTP)
    mail.make_alternative()
    for part in (plain, shown) if is_first else (shown, plain):
        mail.attach(part)
    assert read(mail.as_bytes()).content == "We ordered ten."


def write_parts(kind: str, *parts: str) -> bytes:
    """Write a mail of parts, each of which begins with its type."""
    texts = "".join(f"--b\r\nContent-Type: {part}\r\n" for part in ("text/plain\r\n\r\nI can come.", *parts))
    return f"Content-Type: {kind}; boundary=b\r\n\r\n{texts}--b--\r\n".encode()


@pytest.mark.parametrize(
    ("rest", "is_automatic"),
    [
        (
            write_parts("multipart/report; report-type=disposition-notification", "message/disposition-notification"),
            True,
        ),
        (write_parts("multipart/report; report-type=feedback-report", "message/feedback-report"), True),
        (write_parts("multipart/alternative", "text/calendar; method=REPLY\r\n\r\nBEGIN:VCALENDAR"), True),
        (write_parts("multipart/mixed", "text/calendar\r\n\r\nBEGIN:VCALENDAR\r\nMETHOD:REPLY"), True),
        (write_parts("multipart/mixed", "text/calendar; method=REQUEST\r\n\r\nBEGIN:VCALENDAR"), False),
        (write_parts("multipart/mixed", "text/calendar\r\n\r\nBEGIN:VCALENDAR\r\nMETHOD:PUBLISH"), False),
        (
            write_parts(
                "multipart/mixed",
                "message/rfc822\r\n\r\nContent-Type: text/calendar; method=REPLY\r\n\r\nBEGIN:VCALENDAR",
            ),
            False,
        ),
        (b"X-Autoreply-From: ines@alpenrose.example\r\n\r\nI am away.", True),
        (b"Subject: away\r\n\r\nI am away.", False),
    ],
    ids=lambda rest: str(rest)[:70],
)
def test_receipts_and_answers_of_calendars_are_automatic(rest: bytes, is_automatic: bool) -> None:
    mail = read(rest)
    assert mail.is_automatic == is_automatic
    assert mail.bounce is None


def test_files_beyond_the_bound_are_named() -> None:
    mail = EmailMessage(policy=SMTP)
    mail.set_content("See these.")
    for number in range(MAX_FILES + 2):
        mail.add_attachment(b"a", maintype="text", subtype="csv", filename=f"{number}.csv")
    arrived = read(mail.as_bytes())
    assert (len(arrived.files), arrived.omitted_files) == (MAX_FILES, ("50.csv", "51.csv"))
