"""Any bytes to a message: what must be found in it, and that nothing raises."""

from __future__ import annotations

import datetime as dt
import time
from email.message import EmailMessage
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skerry_workflows.email import addresses, charsets, dates, headers, limits
from skerry_workflows.email.html import render
from skerry_workflows.email.mime import parse, part_bytes, urls
from skerry_workflows.email.model import Address, Message
from skerry_workflows.email.triage import read


def crlf(text: str) -> bytes:
    return text.replace("\n", "\r\n").encode()


def test_an_ordinary_message() -> None:
    made = EmailMessage()
    made["Subject"] = "Grüße aus Köln"
    made["From"] = "Ada Lövelace <ada@example.org>"
    made["To"] = "Bo <bo@example.org>, cy@example.org"
    made["Date"] = "Fri, 3 Jan 2025 10:11:12 +0100"
    made["Message-ID"] = "<one@example.org>"
    made["References"] = "<zero@example.org> <half@example.org>"
    made.set_content("Hallo Bo,\n\nschöne Grüße.\n")
    made.add_alternative("<p>Hallo <b>Bo</b>, siehe <a href='https://example.org/x'>hier</a></p>", subtype="html")
    made.add_attachment(b"%PDF-1.4", maintype="application", subtype="pdf", filename="Überweisung.pdf")
    data = made.as_bytes()
    message = parse(data)
    assert message.subject == "Grüße aus Köln"
    assert message.sender == (Address(name="Ada Lövelace", address="ada@example.org"),)
    assert [each.address for each in message.to] == ["bo@example.org", "cy@example.org"]
    assert message.date == dt.datetime(2025, 1, 3, 9, 11, 12, tzinfo=dt.UTC)
    assert (message.message_id, message.references) == ("one@example.org", ("zero@example.org", "half@example.org"))
    assert message.text.strip() == "Hallo Bo,\n\nschöne Grüße."
    (attachment,) = message.attachments
    assert (attachment.name, attachment.media_type, attachment.size) == ("Überweisung.pdf", "application/pdf", 8)
    assert part_bytes(data, attachment.place) == b"%PDF-1.4"
    assert [(each.target, each.shown) for each in message.links] == [("https://example.org/x", "hier")]
    assert msgspec.json.decode(msgspec.json.encode(message), type=Message) == message


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("=?utf-8?q?Gr=C3=BC=C3=9Fe?=", "Grüße"),
        ("=?UTF-8?B?R3LDvMOfZQ?=", "Grüße"),  # without padding
        ("=?utf-8?b?R3LD?= =?utf-8?b?vMOfZQ==?=", "Grüße"),  # a character cut in two
        ("=?iso-8859-1?q?a?= b =?iso-8859-1?q?c?=", "a b c"),
        ('"=?utf-8?q?Gr=C3=BC=C3=9Fe?="', '"Grüße"'),
        ("=?nonsense?q?x=FF?=", "xÿ"),
        ("=?iso-2022-jp?B?GyRCJDMkcxsoQg==?=", "こん"),
        ("=?utf-8*en?q?x?=", "x"),
        ("=?broken", "=?broken"),
    ],
)
def test_encoded_words(raw: str, text: str) -> None:
    assert headers.words(raw) == text


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("a/b; name=x.pdf", "x.pdf"),
        ('a/b; name="x; y.pdf"', "x; y.pdf"),
        ("a/b; name=my file.pdf; size=3", "my file.pdf"),
        ("a/b\tname=x.pdf", "x.pdf"),
        ("a/b; NAME = x.pdf ", "x.pdf"),
        ("a/b; name*=utf-8''%e2%82%ac.pdf", "€.pdf"),
        ('a/b; name*0="one "; name*1*=%22two%22', 'one "two"'),
        ("a/b; name*1=b; name*0=a", "ab"),
        ("a/b; name==?utf-8?q?=C3=A4?=.pdf", "ä.pdf"),
        ('a/b; name="unclosed.pdf', "unclosed.pdf"),
    ],
)
def test_parameters(raw: str, value: str) -> None:
    assert headers.parameters(raw) == ("a/b", {"name": value, **({"size": "3"} if "size" in raw else {})})


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        ("a@x.example", [("", "a@x.example")]),
        ("A B <a@x.example>, C <c@x.example>", [("A B", "a@x.example"), ("C", "c@x.example")]),
        ('"B, A" <a@x.example>', [("B, A", "a@x.example")]),
        ("a@x.example (Ada (the first))", [("Ada (the first)", "a@x.example")]),
        ("Team: a@x.example, b@x.example;", [("", "a@x.example"), ("", "b@x.example")]),
        ("undisclosed-recipients:;", []),
        ("Nobody", [("Nobody", "")]),
        ("A <@relay.example:a@x.example>", [("A", "a@x.example")]),
        (", ,a @ x . example", [("", "a@x.example")]),
        ("=?utf-8?q?B=2C_=C3=84?= <a@x.example>", [("B, Ä", "a@x.example")]),
        ("A <a@x.example", [("A", "a@x.example")]),
        ("a@x.example; b@x.example", [("", "a@x.example"), ("", "b@x.example")]),
    ],
)
def test_addresses(raw: str, found: list[tuple[str, str]]) -> None:
    assert [(each.name, each.address) for each in addresses.parse(raw)] == found


@pytest.mark.parametrize(
    ("raw", "iso"),
    [
        ("Tue, 1 Jul 2003 10:52:37 +0200", "2003-07-01T10:52:37+02:00"),
        ("1 Jul 03 10:52 EST", "2003-07-01T10:52:00-05:00"),
        ("Tue,  1  Jul (summer) 2003 10:52:37 GMT (really)", "2003-07-01T10:52:37+00:00"),
        ("2003-07-01T10:52:37Z", "2003-07-01T10:52:37+00:00"),
        ("Tue Jul  1 10:52:37 2003", "2003-07-01T10:52:37+00:00"),
        ("31 Feb 2003 10:00:00 +0000", None),
        ("1 Jul 2003 10:00:00 +9900", None),
        ("Whenever", None),
    ],
)
def test_dates(raw: str, iso: str | None) -> None:
    found = dates.parse(raw)
    assert (found.isoformat() if found else None) == iso


def test_charsets() -> None:
    assert charsets.decode("Grüße".encode(), "iso-8859-1") == "Grüße"  # it says one thing and is another
    assert charsets.decode("Grüße €".encode("cp1252"), "us-ascii") == "Grüße €"
    assert charsets.decode("привет".encode("koi8-r"), "KOI8-R") == "привет"
    assert charsets.decode(b"x\\u0041", "unicode_escape") == "x\\u0041"  # no charset, but a program's
    assert charsets.decode("日本".encode("utf-16")) == "日本"


def test_html_is_what_a_reader_sees() -> None:
    done = render(
        "<html><head><title>t</title><style>p{}</style></head><body><p>One&nbsp;<i>two</i><br>three"
        "<script>alert(1)</script><div style='DISPLAY: none'>secret</div><ul><li>four</ul>"
        "<blockquote>five<blockquote>six</blockquote></blockquote>"
        "<a href='https://evil.example/login'>https://bank.example</a><img src=x alt='seven'>"
    )
    assert done.text == "One two\nthree\n\n- four\n\n> five\n\n>> six\n\nhttps://bank.exampleseven"
    assert done.hidden_chars == len("secret")
    assert [(each.target, each.shown) for each in done.links] == [
        ("https://evil.example/login", "https://bank.example")
    ]


def test_addresses_of_pages_in_text() -> None:
    text = "see <https://example.org/a(b)>, (http://example.org/c). www.example.org/d?e=f!"
    assert list(urls(text)) == ["https://example.org/a(b)", "http://example.org/c", "www.example.org/d?e=f"]


def test_parts_that_are_not_as_they_should_be() -> None:
    cut = parse(crlf("Content-Type: multipart/mixed; boundary=b\n\n--b\n\nHello\n--b\nContent-Type: image/png\n\nxx"))
    assert (cut.text, len(cut.attachments)) == ("Hello", 1)
    assert cut.flaws == ("the last part is not closed: the message may have been cut",)
    unclosed = parse(
        b"Content-Type: multipart/mixed; boundary=a\n\n--a\nContent-Type: multipart/mixed; boundary=a-b\n\n"
        b"--a-b\n\none\n--a\n\ntwo\n--a--\n"
    )
    assert unclosed.text == "one\ntwo"
    nothing = parse(b"Content-Type: multipart/mixed; boundary=a\n\nall there is\n")
    assert nothing.text.strip() == "all there is" and nothing.flaws


def test_outlooks_own_format_is_refused_with_words() -> None:
    message = parse(crlf("Content-Type: application/ms-tnef; name=winmail.dat\n\nx"))
    assert "winmail.dat" in message.flaws[0] and len(message.attachments) == 1


def test_bounces_and_calendars() -> None:
    report = (
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\nSorry\n"
        "--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\nAction: {}\nStatus: 5.1.1\n--b--\n"
    )
    assert parse(crlf(report.format("failed"))).bounced
    assert not parse(crlf(report.format("delayed"))).bounced
    meeting = parse(
        crlf("Content-Type: text/calendar; method=request; charset=utf-8\n\nBEGIN:VCALENDAR\nEND:VCALENDAR\n")
    )
    assert meeting.calendars == (("REQUEST", "BEGIN:VCALENDAR\nEND:VCALENDAR\n"),)


def test_flowed_text_is_joined() -> None:
    flowed = "Content-Type: text/plain; format=flowed\n\nOne line \nthat goes on\n> quoted \n> too\n-- \nme\n"
    assert parse(flowed.encode()).text == "One line that goes on\n> quoted too\n-- \nme\n"


def test_bounds() -> None:
    nested = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (level, level) for level in range(200)
    )
    assert parse(nested).flaws
    many = b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 5000
    assert len(parse(many).attachments) <= limits.PARTS_MAX
    assert len(parse(b"Subject: " + b"x" * 10**6 + b"\n\n").subject) <= limits.HEADER_CHARS_MAX
    assert len(parse(b"\n" + b"x" * 10**6).text) == limits.TEXT_CHARS_MAX
    assert render("<div>" * 50_000 + "deep").text in ("deep", "")


_PIECES = st.sampled_from(
    [
        b"Content-Type: multipart/mixed; boundary=b", b"--b", b"--b--", b"\n", b"\r\n", b"\r", b"\n\n", b":", b";",
        b'"', b"<", b">", b"(", b")", b"=?utf-8?q?", b"?=", b"Content-Transfer-Encoding: base64", b"Subject: ", b"=",
        b"Content-Transfer-Encoding: quoted-printable", b"Content-Type: text/html; charset=", b"utf-16", b"<a href='",
        b"Date: ", b"1 Jan 99999 99:99:99 +9999", b"name*0*=", b"''%", b"\xff\xfe\x00", b"begin 644 x\n", b"To: ",
        b"Content-Type: message/rfc822", b"\x00", b"charset=idna", b"Content-Type: text/plain; format=flowed", b"> ",
        b"@", b"&#x", b"From: ",
    ]
)  # fmt: skip


@given(st.one_of(st.binary(max_size=400), st.lists(_PIECES | st.binary(max_size=8), max_size=40).map(b"".join)))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_nothing_raises(data: bytes) -> None:
    message = parse(data)
    assert msgspec.json.decode(msgspec.json.encode(message), type=Message) == message
    for attachment in message.attachments:
        assert len(part_bytes(data, attachment.place)) == attachment.size


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_nothing_raises_on_real_messages_that_were_damaged(data_dir: Path, drawn: st.DataObject) -> None:
    files = sorted((data_dir / "emails" / "mime").glob("*.eml"))
    data = bytearray(drawn.draw(st.sampled_from(files)).read_bytes())
    for _ in range(drawn.draw(st.integers(0, 8))):
        at = drawn.draw(st.integers(0, max(0, len(data) - 1)))
        data[at : at + drawn.draw(st.integers(0, 20))] = drawn.draw(st.binary(max_size=12))
    parse(bytes(data))


HOSTILE = {
    "delimiters": b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n" * 100_000,
    "words": b"Subject: " + b"=?utf-8?q?a" * 2_000 + b"\n\nx",
    "comments": b"To: " + b"(" * 20_000 + b"\n\nx",
    "anchors": b"Content-Type: text/html\n\n" + b"<a href=http://x.example/y>z" * 20_000,
    "blanks": b"From: a@b.example\n\n" + b" " * 1_000_000,
    "attributions": b"From: a@b.example\n\n" + b"On 1.1.2025 wrote\n" * 50_000,
    "addresses of pages": b"From: a@b.example\n\nhttp://a.example/" + b")" * 1_000_000,
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=list(HOSTILE))
def test_what_is_made_to_cost_much_costs_little(data: bytes) -> None:
    """All that a task does with a message; its sandbox would stop it after 20 s of processor time."""
    began = time.process_time()
    read(data, dt.datetime(2025, 1, 3, tzinfo=dt.UTC))
    assert time.process_time() - began < 10


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_message_that_was_saved_as_a_text_file(encoding: str) -> None:
    text = "From: ada@example.org\nSubject: Grüße\nContent-Type: text/plain; charset=utf-8\n\nJa, für Bo"
    message = parse(text.encode(encoding))
    assert (message.sender[0].address, message.subject, message.text) == ("ada@example.org", "Grüße", "Ja, für Bo")
    assert message.flaws == ()


@pytest.mark.parametrize("data", [b"", b"%PDF-1.4\nx: y\n", b"\xff\xfe", b"just some text"])
def test_what_is_no_mail_says_so(data: bytes) -> None:
    assert "may be something else" in parse(data).flaws[0]


def test_a_long_text_says_that_it_was_cut() -> None:
    message = parse(b"From: a@x.example\n\n" + b"word " * 100_000)
    assert len(message.text) == 200_000 and "only the first 200,000" in message.flaws[0]
