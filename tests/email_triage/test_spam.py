"""Unwanted mail: signs, what is sure and what is asked, and how often it is wrong on real mail."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skerry_workflows.email.learning import Lessons, spam_odds
from skerry_workflows.email.mime import parse
from skerry_workflows.email.model import Message
from skerry_workflows.email.spam import score
from skerry_workflows.email.spam_words import CLASSES
from skerry_workflows.email.triage import judge, read

PERSONAL = b"""From: Ada <ada@example.org>
To: Bo <bo@example.com>
Date: Fri, 3 Jan 2025 10:00:00 +0100
Message-ID: <a1@example.org>
In-Reply-To: <b1@example.com>
References: <b1@example.com>
Subject: Re: Offer for the roof
User-Agent: Mozilla Thunderbird

Bo wrote:
> Can you come on Monday?
> Bo

Yes, at nine.
--\x20
Ada
"""
ADVERT = b"""From: "BIG SAVINGS NOW" <x7391842q@freestuff.example>
To: undisclosed-recipients:;
Reply-To: other@mailbox.example
Subject: MAKE MONEY FAST!!!   kq8813z
X-Priority: 1
X-MSMail-Priority: High
Content-Type: text/html

<HTML><BODY><FONT COLOR=red SIZE=+3>Earn $5,000 a week working from home! 100% FREE! ACT NOW! No obligation!</FONT>
<a href="http://192.0.2.9/go">Click here</a> to be removed send mail.</BODY></HTML>
"""
PHISHING = b"""From: "Example Bank PayPal" <service@mail-check.example>
To: bo@example.com
Date: Fri, 3 Jan 2025 10:00:00 +0100
Message-ID: <1@mail-check.example>
Subject: Your account has been limited
Authentication-Results: mx.example.com; spf=fail smtp.mailfrom=paypal.com
Content-Type: text/html; charset=utf-8

<p>Dear customer,</p><p>we noticed unusual activity.
Please verify your account within 24 hours or it will be suspended.</p>
<a href="http://paypal.com.login.mail-check.example/verify">https://www.paypal.com</a>
"""
NEWSLETTER = b"""From: Garden Club <news@garden.example>
To: bo@example.com
Date: Fri, 3 Jan 2025 10:00:00 +0100
Message-ID: <77@mail.garden.example>
Subject: Seeds for spring
List-Unsubscribe: <https://garden.example/leave?u=1>
Content-Type: text/html; charset=utf-8

<p>Special offer for members: save 20% on seeds. <a href="https://www.garden.example/seeds">Click here</a>.</p>
<p><a href="https://garden.example/leave?u=1">Unsubscribe</a></p>
"""


def test_four_letters() -> None:
    assert score(parse(PERSONAL)).verdict == "ham"
    advert = score(parse(ADVERT))
    assert advert.verdict == "spam" and {"money", "ip", "forged mailer"} <= {each.name for each in advert.signs}
    phishing = score(parse(PHISHING))
    assert phishing.phishing and phishing.probability > 0.95
    assert score(parse(NEWSLETTER)).verdict == "ham"


def test_the_reasons_come_first_things_first() -> None:
    weights = [abs(each.weight) for each in score(parse(ADVERT)).signs]
    assert weights == sorted(weights, reverse=True)
    assert all(each.said for each in score(parse(ADVERT)).signs)


def test_a_program_that_is_attached() -> None:
    plain = b"From: a@x.example\nTo: b@y.example\nDate: Fri, 3 Jan 2025 10:00:00 +0100\nMessage-ID: <1@x.example>\n"
    attached = b'Subject: Bill\nContent-Type: application/pdf; name="bill.pdf.exe"\n\nx'
    assert "program" in {each.name for each in score(parse(plain + attached)).signs}


def test_corrections_teach(tmp_path: Path) -> None:
    with Lessons(tmp_path / "mail.db") as lessons:
        text = "quarterly figures of the beekeepers"
        assert spam_odds(lessons.texts("spam"), text) == 0.0
        for n in range(8):
            lessons.learn("spam", f"s{n}", "spam", f"cheap watches number {n} for you")
            lessons.learn("spam", f"h{n}", "ham", f"figures of the beekeepers, part {n}")
        taught = lessons.texts("spam")
        assert spam_odds(taught, text) < -1.5 < 1.5 < spam_odds(taught, "very cheap watches")
        assert abs(spam_odds(taught, "nothing that was ever seen")) < 0.5
        lessons.learn("spam", "s0", "ham", "cheap watches")  # the last word about a message counts
        assert len(lessons.texts("spam")["spam"]) == 7
        before = read(PERSONAL, dt.datetime(2025, 1, 3, tzinfo=dt.UTC))
        assert judge(before, (), {}, {}).probability == pytest.approx(before.probability, abs=1e-3)
        for n in range(8):
            lessons.learn("spam", f"p{n}", "spam", before.said)
        assert judge(before, (), lessons.texts("spam"), {}).probability > before.probability


@pytest.mark.parametrize("name", CLASSES)
def test_wording_is_searched_in_time_that_grows_with_the_text(name: str) -> None:
    """What would make a pattern look again and again: 30,000 characters are done within the test's time."""
    _, pattern = CLASSES[name]
    for piece in ("a ", "dear ", "free ", "your account ", "$1 ", "- ", "\n", "within 24 hours ", "the ", "1"):
        pattern.search((piece * 30_000)[:30_000])


@given(st.binary(max_size=300), st.text(max_size=80))
@settings(max_examples=100, deadline=None)
def test_any_message_gets_a_judgement(body: bytes, subject: str) -> None:
    head = f"Subject: {subject}\nFrom: {subject}\nReceived: from x by y id {subject}; {subject}\n".encode()
    judged = score(parse(head + body))
    assert 0 <= judged.probability <= 1
    assert msgspec.json.decode(msgspec.json.encode(judged), type=type(judged)) == judged


class _Case(msgspec.Struct):
    id: str
    task: str
    input: str
    expected: Mapping[str, object]


def test_on_real_mail_it_is_seldom_wrong_and_sure(data_dir: Path) -> None:
    folder = data_dir / "emails"
    manifest = msgspec.json.decode((folder / "manifest.json").read_bytes())
    cases = [msgspec.convert(case, _Case) for case in manifest["cases"] if case["task"] == "spam"]
    verdicts: dict[tuple[str, str], int] = {}
    for case in cases:
        message: Message = parse((folder / case.input).read_bytes())
        key = str(case.expected["label"]), score(message).verdict
        verdicts[key] = verdicts.get(key, 0) + 1
    good = sum(count for (label, _), count in verdicts.items() if label == "ham")
    assert verdicts.get(("ham", "spam"), 0) <= 0.02 * good, verdicts
    assert verdicts.get(("spam", "ham"), 0) <= 0.02 * len(cases), verdicts
