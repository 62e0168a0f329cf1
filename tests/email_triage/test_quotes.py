"""New text, signature and history told apart, as clients write them in several languages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry_workflows.email.html import render
from skerry_workflows.email.quotes import split

ATTRIBUTIONS = {
    "gmail": "On Fri, Jan 3, 2025 at 6:54 PM Ada Byron <ada@example.org> wrote:",
    "gmail in two lines": "On Fri, Jan 3, 2025 at 6:54 PM Ada Byron\n<ada@example.org> wrote:",
    "apple": "On 3 Jan 2025, at 18:54, Ada Byron <ada@example.org> wrote:",
    "german": "Am 03.01.2025 um 18:54 schrieb Ada Byron:",
    "german gmail": "Am Fr., 3. Jan. 2025 um 18:54 Uhr schrieb Ada Byron <ada@example.org>:",
    "french": "Le ven. 3 janv. 2025 à 18:54, Ada Byron <ada@example.org> a écrit :",
    "spanish": "El vie, 3 ene 2025 a las 18:54, Ada Byron (<ada@example.org>) escribió:",
    "italian": "Il giorno ven 3 gen 2025 alle ore 18:54 Ada Byron <ada@example.org> ha scritto:",
    "dutch": "Op vr 3 jan 2025 om 18:54 schreef Ada Byron <ada@example.org>:",
    "portuguese": "Em sex., 3 de jan. de 2025 às 18:54, Ada Byron <ada@example.org> escreveu:",
    "polish": "pt., 3 sty 2025 o 18:54 Ada Byron <ada@example.org> napisał(a):",
    "swedish": "Den fre 3 jan. 2025 kl 18:54 skrev Ada Byron <ada@example.org>:",
    "russian": "пт, 3 янв. 2025 г. в 18:54, Ada Byron <ada@example.org>:",
    "russian wrote": "3 января 2025 г., 18:54, Ada Byron написала:",
    "mutt": "* Ada Byron <ada@example.org> [2025-01-03 18:54]:",
    "short": "Ada Byron writes (3.1.2025 18:54):",
}


@pytest.mark.parametrize("attribution", ATTRIBUTIONS.values(), ids=list(ATTRIBUTIONS))
def test_who_wrote_what_follows(attribution: str) -> None:
    done = split(f"That is fine.\n\n{attribution}\n\n> Shall we?\n> \n> Ada\n")
    assert done.new == "That is fine."
    assert "Shall we?" in done.quoted and "Ada" in done.quoted


@pytest.mark.parametrize("name", ["gmail", "german", "french", "spanish", "apple", "dutch", "swedish"])
def test_clients_that_put_no_marks_before_lines(name: str) -> None:
    assert split(f"That is fine.\n\n{ATTRIBUTIONS[name]}\n\nShall we?\nAda").new == "That is fine."


BLOCKS = {
    "english": "From: Ada <ada@example.org>\nSent: Friday, January 3, 2025 6:54 PM\nTo: Bo\nSubject: Offer",
    "bold": "*From:* Ada <ada@example.org>\n*Sent:* Friday, January 3, 2025 6:54 PM\n*To:* Bo\n*Subject:* Offer",
    "german": "Von: Ada <ada@example.org>\nGesendet: Freitag, 3. Januar 2025 18:54\nAn: Bo\nBetreff: Angebot",
    "french": "De : Ada <ada@example.org>\nEnvoyé : vendredi 3 janvier 2025 18:54\nÀ : Bo\nObjet : Offre",
    "spanish": "De: Ada <ada@example.org>\nEnviado el: viernes, 3 de enero de 2025 18:54\nPara: Bo\nAsunto: Oferta",
    "italian": "Da: Ada <ada@example.org>\nInviato: venerdì 3 gennaio 2025 18:54\nA: Bo\nOggetto: Offerta",
    "dutch": "Van: Ada <ada@example.org>\nVerzonden: vrijdag 3 januari 2025 18:54\nAan: Bo\nOnderwerp: Aanbod",
    "polish": "From: Ada\nSent: piątek, 3 stycznia 2025\nTo: Bo\nSubject: Oferta",
    "swedish": "Från: Ada <ada@example.org>\nSkickat: den 3 januari 2025 18:54\nTill: Bo\nÄmne: Offert",
    "original": "-----Original Message-----\nAnything",
    "ursprünglich": "-----Ursprüngliche Nachricht-----\nAnything",
    "rule": "________________________________\nFrom: Ada <ada@example.org>\nSent: Friday\nTo: Bo\nSubject: Offer",
    "date first": "Date: Fri, 3 Jan 2025 18:54:00 +0100\nSubject: Offer\nFrom: ada@example.org\nTo: bo@example.org",
}


@pytest.mark.parametrize("block", BLOCKS.values(), ids=list(BLOCKS))
def test_blocks_of_header_lines(block: str) -> None:
    done = split(f"That is fine.\n\n{block}\n\nShall we?\n")
    assert done.new == "That is fine." and done.quoted.startswith(block)


def test_answers_between_and_below() -> None:
    text = "On 3 Jan 2025 at 18:54 Ada wrote:\n> Red?\nYes.\n> Blue?\nNo.\n\nBo"
    assert split(text).written == "Yes.\nNo.\n\nBo"
    assert split("> one\n> two\n> three\n\nI agree.").new == "I agree."


@pytest.mark.parametrize(
    "text",
    [
        "We met on Monday. He wrote: I will come.\nAnd he came.",
        "> is the sign for greater than.\nNothing else.",
        "To: do\nbuy milk",
        "Please send the report from: 3 May\nto: 5 May, thanks a lot for that",
        "See below:\n- one\n- two",
        "--",
    ],
)
def test_what_only_looks_like_it(text: str) -> None:
    assert split(text).written == text


def test_what_is_forwarded_is_what_it_is_about() -> None:
    text = (
        "Please pay.\n\n---------- Forwarded message ---------\nFrom: Ada <ada@example.org>\nSubject: Bill\n\nTotal 7"
    )
    assert "Total 7" in split(text).new


@pytest.mark.parametrize(
    ("text", "new", "signature"),
    [
        ("Yes.\n\n-- \nBo Berg\nBerg Ltd", "Yes.", "-- \nBo Berg\nBerg Ltd"),
        ("Yes.\n\nSent from my iPhone", "Yes.", "Sent from my iPhone"),
        ("Ja.\n\nMit freundlichen Grüßen\nBo Berg\nBerg GmbH", "Ja.", "Mit freundlichen Grüßen\nBo Berg\nBerg GmbH"),
        ("Oui.\n\nCordialement,\nBo", "Oui.", "Cordialement,\nBo"),
        ("Thanks for the offer. We take it.", "Thanks for the offer. We take it.", ""),
        ("Best\nof all is this one. It has long sentences.", "Best\nof all is this one. It has long sentences.", ""),
    ],
)
def test_signatures(text: str, new: str, signature: str) -> None:
    done = split(text)
    assert (done.new, done.signature) == (new, signature)


HTML = {
    "gmail": "<div>Fine.</div><br><div class='gmail_quote'><div class='gmail_attr'>On Fri, Jan 3, 2025 at 6:54 PM Ada "
    "&lt;<a href='mailto:ada@example.org'>ada@example.org</a>&gt; wrote:<br></div>"
    "<blockquote>Shall we?</blockquote></div>",
    "outlook": "<p>Fine.</p><div style='border:none;border-top:solid #E1E1E1 1.0pt'><p><b>From:</b> Ada<br>"
    "<b>Sent:</b> Friday, January 3, 2025<br><b>To:</b> Bo<br><b>Subject:</b> x</p></div><p>Shall we?</p>",
    "thunderbird": "<p>Fine.</p><div class='moz-cite-prefix'>Am 03.01.25 um 18:54 schrieb Ada:<br></div>"
    "<blockquote type='cite'><p>Shall we?</p></blockquote>",
}


@pytest.mark.parametrize("html", HTML.values(), ids=list(HTML))
def test_html_replies(html: str) -> None:
    done = split(render(html).text)
    assert done.new == "Fine." and "Shall we?" in done.quoted


@given(st.text(alphabet=st.sampled_from(list("ab>:\n -_@.0/wroteOn")), max_size=300))
def test_nothing_is_lost_and_nothing_raises(text: str) -> None:
    done = split(text)
    assert letters("".join(done)) == letters(text)


def letters(text: str) -> list[str]:
    """All that can be seen, in whatever order."""
    return sorted("".join(text.split()))
