"""Invoices: families of layouts, each a list of parts from top to bottom."""

from __future__ import annotations

from random import Random

from training.documents.facts import Scribe, facts
from training.documents.parts import PARTS
from training.documents.prose import PROSE, note
from training.documents.words import LANGUAGES
from training.task import TEXT_BYTES_MAX, Invoice

FAMILIES: dict[str, str] = {
    "plain": "top gap title lines gap table gap t_lines gap bank",
    "bare": "bare title lines t_lines",
    "title-first": "title top lines gap simple t_lines bank",
    "letter": "oneline gap window gap place_date title_number padded gap table t_right gap bank legal",
    "letter-short": "oneline gap window title_number lines t_lines terms",
    "window-right": "oneline beside_window gap title gap table t_right gap bank",
    "german": "letterhead gap window gap title colon_padded gap positions gap t_padded gap terms bank",
    "from-to": "labelled buyer_line lines gap t_lines",
    "to-from": "buyer_line labelled lines gap tight_table t_lines",
    "under": "title gap under_label gap buyer gap lines gap table gap t_lines",
    "under-swapped": "buyer gap under_label gap padded gap simple gap t_padded",
    "sides": "title sides gap padded gap table gap t_right gap terms page",
    "sides-first": "sides gap title_number lines gap tight_table t_lines bank",
    "headed": "title gap headed gap two_pairs gap table t_padded",
    "headed-row": "headed gap row gap table gap t_right bank",
    "right": "right gap window gap title lines table t_right page",
    "right-block": "top right_block gap buyer gap simple rule t_lines",
    "beside": "top gap title gap beside_buyer gap table t_right gap terms bank",
    "stacked": "bare title stacked gap t_stacked",
    "stacked-long": "letterhead title gap stacked gap buyer gap table gap t_stacked bank page",
    "row": "top gap title row gap tight_table t_lines",
    "row-row": "bare buyer_line row table t_row page",
    "dots": "bare title dotted gap t_dots bank",
    "dots-long": "top rule title dotted rule simple rule t_dots rule terms",
    "piped": "bare piped gap t_piped",
    "piped-long": "top gap buyer_line piped rule table rule t_piped bank contact",
    "total-first": "title_number labelled t_first padded buyer",
    "total-top": "bare t_first rule lines simple terms",
    "receipt": "bare rule simple rule t_padded rule lines page",
    "receipt-head": "top contact rule lines tight_table t_dots",
    "both": "top gap title_both lines gap simple t_lines bank",
    "both-letter": "letterhead window gap title_both lines gap table t_padded terms legal",
    "pairs": "top two_pairs gap positions t_right",
    "pairs-late": "top buyer table t_lines gap two_pairs bank",
    "end-dates": "title bare gap table gap t_padded gap colon_padded terms",
    "labels-values": "top title labels_values gap simple gap t_lines",
    "labels-labels": "bare buyer labels_values gap t_labels bank",
    "extra": "top gap title_number lines gap table t_extra bank",
    "extra-right": "letterhead sides padded tight_table t_extra page",
    "foot-only": "title gap buyer gap lines gap table t_right gap rule holder",
    "foot-legal": "title_number buyer padded simple t_lines rule legal bank",
    "mail": "hello gap sentences gap signed",
    "mail-top": "top gap hello sentences bye",
    "mail-mixed": "hello about gap simple t_lines gap signed",
    "mail-summed": "bare buyer_line lines hello summed bye bank",
    "mail-list": "hello gap lines t_lines gap signed contact",
    "statement": "letterhead rule colon_padded rule table rule t_right rule bank terms page",
    "columns": "sides gap right_block gap table gap t_right gap contact page",
    "far": "top gap buyer table positions gap t_lines gap lines gap terms",
    "minimal": "labelled lines t_lines",
}
"""Families of the training set."""

HELD_OUT: dict[str, str] = {
    "x-arrows": "bare title arrows gap t_lines",
    "x-reversed": "top gap reversed_pairs gap table t_reversed",
    "x-total-row": "title_number gap t_row gap headed gap padded positions",
    "x-foot-mail": "hello lines gap table gap summed signed",
    "x-holder": "title two_pairs gap tight_table t_stacked gap holder page",
    "x-late-row": "right gap simple gap t_dots gap row bank",
    "x-columns": "beside_buyer gap t_padded gap top contact",
    "x-labels": "labelled labels_values positions t_right",
    "x-late-mail": "t_piped gap hello about signed",
    "x-upside": "bank t_lines rule table rule lines rule title top",
}
"""Families of the evaluation alone; parts `arrows`, `reversed_pairs` and `t_reversed` come nowhere else."""

_ALL = PARTS | PROSE


def invoice(r: Random, family: str, *, held_labels: bool = False) -> tuple[str, str, Invoice]:
    """A page of this family: its language, its text, and what is to be read out of it."""
    names = (FAMILIES | HELD_OUT)[family].split()
    while True:
        language = r.choice(LANGUAGES)
        about, style = facts(r, language)
        scribe = Scribe(r, about, style, held_labels)
        blocks: list[list[str]] = []
        for name in names:
            if name == "gap" and r.random() < 0.3:
                continue
            if name in ("bank", "terms", "page", "contact", "rule") and r.random() < 0.2:
                continue
            blocks.append(_ALL[name](scribe))
        for _ in range(r.choice((0, 0, 0, 0, 0, 0, 1, 1, 2, 6))):
            blocks.insert(r.randint(0, len(blocks)), note(scribe))
        if stated := scribe.stated():
            blocks.insert(r.randint(1, len(blocks)), stated)
        text = "\n".join(line for block in blocks for line in block).strip("\n")
        if len(text.encode()) <= TEXT_BYTES_MAX:
            return language, text, about.answer()
