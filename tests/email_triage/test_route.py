"""What servers write down on the way."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry_workflows.email import route
from skerry_workflows.email.mime import parse
from skerry_workflows.email.model import Message

BY = "by mx.office.example"


def message(*headers: str) -> Message:
    return parse("\n".join(("From: Ada <ada@firm.example>", *headers, "", "x")).encode())


def came(hop: str, by: str = BY) -> Message:
    return message(f"Received: from {hop} {by} with ESMTP id x; Tue, 4 Mar 2025 09:15:04 +0100")


@pytest.mark.parametrize(
    ("hop", "own", "nameless"),
    [
        ("mail.firm.example (mail.firm.example [198.51.100.7])", True, False),  # Postfix
        ("mail.firm.example (HELO exch.local) (198.51.100.7)", True, False),  # qmail: HELO said another name
        ("mail.firm.example (198.51.100.7)", True, False),
        ("mail.firm.example (unknown [198.51.100.7])", False, True),
        ("unknown (HELO mail.firm.example) (198.51.100.7)", False, True),
        ("mail.firm.example (unknown [192.168.1.7])", False, False),  # within the house
        ("mail.other.example (mail.other.example [198.51.100.7])", False, False),
    ],
)
def test_who_handed_it_over(hop: str, own: bool, nameless: bool) -> None:
    assert (route.own_server(came(hop)), route.nameless(came(hop))) == (own, nameless)


def test_sendmail_leaves_out_the_name_that_it_did_not_find() -> None:
    hop = "mail.firm.example ([198.51.100.7])"
    assert route.nameless(came(hop, "by mx.office.example (8.17.1/8.17.1)"))
    assert not route.nameless(came(hop))  # Exim: the name is right


@pytest.mark.parametrize(
    ("results", "verdict"),
    [
        ("mx; dmarc=pass header.from=firm.example; spf=fail", "pass"),
        ("mx; dkim=pass header.d=firm.example", "pass"),
        ("mx; dkim=pass header.i=@mail.firm.example", "pass"),
        ("mx; dkim=pass header.d=sender-service.example", ""),  # somebody else's word
        ("mx; spf=pass smtp.mailfrom=bounce@firm.example", "pass"),
        ("mx; spf=softfail smtp.mailfrom=firm.example; dkim=none", ""),
        ("mx; spf=fail smtp.mailfrom=firm.example; dkim=none", "fail"),
        ("mx; spf=fail smtp.mailfrom=fwd.example; dkim=pass header.d=list.example", ""),
        ("mx; arc=pass; dkim=fail header.d=firm.example; dmarc=fail", ""),
        ("mx; none", ""),
    ],
)
def test_who_vouches(results: str, verdict: str) -> None:
    assert route.vouched(message(f"Authentication-Results: {results}"), passed_on=False) == verdict
    assert route.vouched(message(f"Authentication-Results: {results}"), passed_on=True) == verdict.replace("fail", "")


def test_only_the_last_servers_word_counts() -> None:
    forged = message("Authentication-Results: mx; spf=none", "Authentication-Results: elsewhere; dmarc=pass")
    assert route.vouched(forged, passed_on=False) == ""
    assert route.vouched(message("Received-SPF: fail (mx: not allowed)"), passed_on=False) == "fail"


@pytest.mark.parametrize(
    ("header", "automatic"),
    [
        ("Auto-Submitted: no", False),
        ("Auto-Submitted: auto-generated; owner-email=a@b.example", True),
        ("Precedence: first-class", False),
        ("Return-Path: <ada@firm.example>", False),
        ("From: no-reply@firm.example", False),  # a second From is not the sender
    ],
)
def test_what_programs_send(header: str, automatic: bool) -> None:
    assert route.automatic(message(header)) is automatic


@pytest.mark.parametrize(
    ("local", "automatic"),
    [("noreply", True), ("do-not-reply+1", True), ("shop.no_reply", True), ("MAILER-DAEMON", True), ("norepa", False)],
)
def test_addresses_that_take_no_answer(local: str, automatic: bool) -> None:
    assert route.automatic(parse(f"From: {local}@firm.example\n\nx".encode())) is automatic


@given(st.text(max_size=80), st.text(max_size=80))
def test_nothing_raises(hop: str, results: str) -> None:
    any_message = message(
        f"Received: from {hop} by {results}", f"Authentication-Results: {results}", f"Received-SPF: {hop}"
    )
    route.vouched(any_message, passed_on=False)
    route.hops(any_message)
    assert route.private_line(any_message) in (True, False) and route.number_as_name(any_message) in (True, False)
