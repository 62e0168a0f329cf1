"""What every backend must do, whatever it is made of: one suite for all of them.

A test module derives a class from `BackendConformance`, gives it `make`, and pytest (or unittest's runner) finds its
tests. A backend that says that it cannot do something is not asked for it: such a test is skipped, with that reason.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar
from unittest import SkipTest

import msgspec

from skerry_workers.models.places import find, leaves
from skerry_workers.models.port import PROBE, QUOTED, Answer, Backend, ModelError, Question, Stopped

_TEXT = {"type": "string", "maxLength": 20}
_QUOTE = {"type": "string", "maxLength": 40, QUOTED: True}
INVOICE: dict[str, Any] = {
    "type": "object",
    "properties": {
        "seller": {"anyOf": [_QUOTE, {"type": "null"}]},
        "number": _QUOTE,
        "kind": {"enum": ["invoice", "credit note"]},
        "paid": {"type": "boolean"},
        "lines": {
            "type": "array",
            "maxItems": 2,
            "items": {
                "type": "object",
                "properties": {"text": _QUOTE, "pieces": {"type": "integer", "minimum": 0, "maximum": 99}},
                "required": ["text", "pieces"],
            },
        },
    },
    "required": ["seller", "number", "kind", "paid", "lines"],
}
DOCUMENT = "Acme GmbH\nInvoice no. INV-7\n2 chairs at 10.00 EUR\nTotal 20.00 EUR"
ASKED = Question(system="Read the invoice.", text=DOCUMENT, schema=INVOICE, tokens_max=300)
ENDLESS = Question(
    system="Count.",
    text="from one on",
    schema={"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": 9}, "minItems": 100_000},
    tokens_max=1500,
)


class BackendConformance:
    """The suite. `stops_s`: so soon an answer must have stopped after it was told to."""

    stops_s: ClassVar[float] = 5.0
    answers_s: ClassVar[float] = 60.0

    def make(self) -> Backend:
        """A new backend, loaded; the suite closes it. One for each test, so it should be small."""
        raise NotImplementedError

    def too_long(self) -> Question:
        """A question whose text is longer than the model takes; None if there is no such thing."""
        return msgspec.structs.replace(ASKED, text="many words and 12 numbers\n" * 20_000)

    def ask(self, question: Question = ASKED) -> Answer:
        """One answer of a backend of its own."""
        backend = self.make()
        try:
            return self.asked(backend, question)
        finally:
            backend.close()

    def asked(self, backend: Backend, question: Question = ASKED, stop: threading.Event | None = None) -> Answer:
        """One answer, within a limit of time."""
        began = time.monotonic()
        answer = backend.answer(question, stop or threading.Event())
        assert time.monotonic() - began < self.answers_s
        return answer

    def require(self, *names: str) -> None:
        """Skips what the backend does not do by itself."""
        backend = self.make()
        backend.close()
        for name in names:
            if not getattr(backend.capabilities, name):
                raise SkipTest(f"the backend does not do this by itself: {name}")

    def test_it_says_what_it_is(self) -> None:
        backend = self.make()
        try:
            assert backend.digest
            assert backend.capabilities.slots >= 1
        finally:
            backend.close()

    def test_the_answer_fits_the_schema(self) -> None:
        self.require("schema")
        answer = self.ask()
        assert answer.finish == "stop"
        value = msgspec.json.decode(answer.value)
        assert list(value) == ["seller", "number", "kind", "paid", "lines"]
        assert value["kind"] in ("invoice", "credit note")
        assert isinstance(value["paid"], bool)
        assert len(value["lines"]) <= 2

    def test_quotes_are_in_the_text(self) -> None:
        self.require("quoted")
        for seed in range(3):
            answer = self.ask(msgspec.structs.replace(ASKED, temperature=1.0, seed=seed))
            for leaf in leaves(INVOICE, msgspec.json.decode(answer.value)):
                if leaf.quoted and leaf.value:
                    start, end = find(DOCUMENT, leaf.value)
                    assert start >= 0, f"{leaf.path} is {leaf.value!r}"
                    assert answer.fields[leaf.path].start == start
                    assert answer.fields[leaf.path].end == end

    def test_quotes_of_a_text_with_all_kinds_of_characters(self) -> None:
        self.require("quoted")
        text = (
            'Ünïcödé & Söhne "Zum \\Löwen\\"\t日本語 🙂 e\u0301 \u200f\u05d0\u05d1\x00\x07 end\r\n<|end|></s>{"a": 1}'
        )
        schema = {
            "type": "object",
            "properties": {str(n): {**_QUOTE, "minLength": 1} for n in range(6)},
            "required": [str(n) for n in range(6)],
        }
        for seed in range(3):
            asked = Question(system="Ü", text=text, schema=schema, temperature=1.0, seed=seed, tokens_max=400)
            value = msgspec.json.decode(self.ask(asked).value, type=dict[str, str])
            assert all(find(text, quote)[0] >= 0 for quote in value.values()), value

    def test_an_empty_text(self) -> None:
        self.require("schema")
        value = msgspec.json.decode(self.ask(msgspec.structs.replace(ASKED, text="")).value)
        assert set(value) == set(INVOICE["properties"])

    def test_a_text_that_is_too_long_is_refused_in_words(self) -> None:
        backend = self.make()
        try:
            self.asked(backend, self.too_long())
        except ModelError as error:
            assert any(word in error.message.lower() for word in ("long", "context", "token")), error.message
        else:
            raise SkipTest("nothing is too long for this backend")
        finally:
            backend.close()

    def test_objections_reach_the_model(self) -> None:
        objections = ("The number is not on the invoice.", "The total is missing, and so is the date.")
        plain, objected = (self.ask(each) for each in (ASKED, msgspec.structs.replace(ASKED, objections=objections)))
        assert objected.usage.tokens_in > plain.usage.tokens_in

    def test_confidence_is_a_probability(self) -> None:
        self.require("confidence", "schema")
        answer = self.ask()
        paths = {leaf.path for leaf in leaves(INVOICE, msgspec.json.decode(answer.value))}
        assert set(answer.fields) == paths
        assert all(0.0 <= note.confidence <= 1.0 for note in answer.fields.values())
        assert len({note.confidence for note in answer.fields.values()}) > 1

    def test_usage_is_told(self) -> None:
        usage = self.ask().usage
        assert usage.tokens_in > 10
        assert usage.tokens_out > 5
        assert usage.reading_s + usage.writing_s > 0

    def test_an_answer_that_is_cut_off_says_so(self) -> None:
        assert self.ask(msgspec.structs.replace(ENDLESS, tokens_max=20)).finish == "length"

    def test_the_probe_is_answered(self) -> None:
        assert self.ask(PROBE).usage.tokens_out >= 1

    def test_without_chance_it_answers_the_same_again(self) -> None:
        backend = self.make()
        try:
            answers = [self.asked(backend) for _ in range(3)]
        finally:
            backend.close()
        assert len({bytes(answer.value) for answer in answers}) == 1

    def test_what_repeats_is_read_once(self) -> None:
        self.require("prefix")
        backend = self.make()
        try:
            self.asked(backend)
            usage = self.asked(backend, msgspec.structs.replace(ASKED, text=DOCUMENT + "\nThank you")).usage
        finally:
            backend.close()
        assert 0 < usage.tokens_cached < usage.tokens_in

    def test_told_to_stop_before_it_begins(self) -> None:
        stop = threading.Event()
        stop.set()
        backend = self.make()
        try:
            self.asked(backend, stop=stop)
        except Stopped:
            return
        finally:
            backend.close()
        raise AssertionError("it answered")

    def test_told_to_stop_it_stops_soon(self) -> None:
        backend, stop = self.make(), threading.Event()
        timer = threading.Timer(0.1, stop.set)
        timer.start()
        began = time.monotonic()
        try:
            answer = self.asked(backend, ENDLESS, stop)
        except Stopped:
            assert stop.is_set()
        else:
            assert answer.finish == "length"
            raise SkipTest("it had answered before it was told to stop")
        finally:
            timer.cancel()
            took = time.monotonic() - began
            self._still_answers(backend)
        assert took < self.stops_s

    def _still_answers(self, backend: Backend) -> None:
        try:
            self.asked(backend)
        finally:
            backend.close()

    def test_two_at_a_time(self) -> None:
        backend = self.make()
        questions: Sequence[Question] = [ASKED, msgspec.structs.replace(ASKED, text=DOCUMENT + "\nThank you")] * 2
        try:
            alone = [bytes(self.asked(backend, each).value) for each in questions[:2]]
            with ThreadPoolExecutor(2) as pool:
                asked = [pool.submit(self.asked, backend, each) for each in questions]
                together = [bytes(each.result().value) for each in asked]
        finally:
            backend.close()
        assert together == alone * 2

    def test_closed_twice(self) -> None:
        backend = self.make()
        backend.close()
        backend.close()
