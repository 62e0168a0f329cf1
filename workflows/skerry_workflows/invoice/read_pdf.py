"""PDF to page text with its columns kept, and the XML invoice inside it if there is one.

Pages whose text nobody can trust are pictures: scans, fonts that do not say their letters, and the hidden text that a
scanner's own OCR has put behind its picture.
"""

from __future__ import annotations

import io
import logging
import re
import unicodedata
from typing import TYPE_CHECKING

from skerry_workflows.invoice import limits
from skerry_workflows.invoice.model import Reading
from skerry_workflows.invoice.read_text import clean
from skerry_workflows.invoice.read_xml import Parsed, parse_invoice
from skerry_workflows.invoice.unreadable import Unreadable

if TYPE_CHECKING:
    from pypdf import PageObject, PdfReader

# The names under which the standards attach the invoice; others are tried after these.
_STANDARD_NAMES = ("factur-x.xml", "zugferd-invoice.xml", "xrechnung.xml")
_HIDDEN = re.compile(rb"(?<![\w.])3\s+Tr(?!\w)")


def read_pdf(data: bytes, name: str) -> Reading:
    """Read the text layer and, for Factur-X and ZUGFeRD, the XML inside, which then is what counts.

    Raises:
        Unreadable: it is damaged, protected by a password, or too long.
    """
    reader, pages = _open(data)
    found, warnings = _embedded_invoice(reader)
    text = clean("\f".join(_page_text(page) for page in pages))
    if not found:
        picture = _is_picture(text) or any(map(_has_hidden_text, pages))
        return Reading(
            name=name, media_type="application/pdf", kind="image" if picture else "pdf-text",
            text="" if picture else text, pages=len(pages), warnings=warnings,
        )  # fmt: skip
    fields = found.fields
    # Imported here: grounding builds on the readers' model, and only hybrids need it.
    from skerry_workflows.invoice.grounding import disagreements

    reading = Reading(
        name=name, media_type="application/pdf", kind="pdf-hybrid", text=text, pages=len(pages), xml=found.text,
        fields=fields,
    )  # fmt: skip
    said = tuple(disagreements(fields, reading).values())
    if not text.strip():
        said = ("the pages of this PDF are pictures: what they show was not compared with the XML inside",)
    return Reading(
        name=name, media_type="application/pdf", kind="pdf-hybrid", text=text, pages=len(pages), xml=found.text,
        fields=fields, warnings=(*warnings, *said), breaches=found.breaches,
    )  # fmt: skip


def _open(data: bytes) -> tuple[PdfReader, list[PageObject]]:
    from pypdf import PdfReader
    from pypdf.errors import DependencyError

    # It warns about every oddity of a file; what makes one unreadable is in our message.
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    try:
        reader = PdfReader(io.BytesIO(data))
        # Many PDFs are encrypted with an empty password only to forbid printing: those open without one.
        if reader.is_encrypted and not reader.decrypt(""):
            raise _protected()
        count = len(reader.pages)
        if 0 < count <= limits.PDF_PAGES_MAX:
            return reader, list(reader.pages)
    except (Unreadable, MemoryError, RecursionError):
        raise
    except DependencyError:
        raise _protected() from None
    except Exception as error:  # pypdf raises whatever a broken file makes it trip over
        raise _damaged(error) from None
    if not count:
        raise Unreadable("this PDF has no pages", hint="ask the sender for the invoice again")
    raise Unreadable(
        f"this PDF has {count} pages, more than the {limits.PDF_PAGES_MAX} that are read",
        hint="send the pages of the invoice alone",
    )


def _protected() -> Unreadable:
    return Unreadable(
        "this PDF is protected by a password", hint="ask the sender for one without, or print it to a new PDF"
    )


def _damaged(error: Exception) -> Unreadable:
    reason = re.sub(r"\s+", " ", str(error))[:80] or type(error).__name__
    return Unreadable(f"this PDF is damaged or cut off ({reason})", hint="ask the sender for the invoice again")


def _page_text(page: PageObject) -> str:
    """The text of a page with columns kept by spaces; in reading order where the layout cannot be worked out."""
    try:
        text = page.extract_text(extraction_mode="layout")
    except (MemoryError, RecursionError):
        raise
    except Exception:  # the layout of odd fonts trips pypdf where the plain text still comes out
        text = ""
    if text.strip():
        return re.sub(r"\n(?:[ ]*\n){4,}", "\n\n\n\n", text)
    try:
        return page.extract_text()
    except (MemoryError, RecursionError):
        raise
    except Exception as error:  # as above
        raise _damaged(error) from None


def _is_picture(text: str) -> bool:
    """Whether a text layer is not there, or is nothing to go by."""
    letters = [c for c in text if not c.isspace()]
    if len(letters) < limits.PDF_TEXT_CHARS_MIN:
        return True
    # Fonts without a character map give private-use characters or replacement marks instead of letters.
    odd = sum(unicodedata.category(c) in ("Co", "Cn") or c == "\ufffd" for c in letters)
    return odd > len(letters) * 0.2 or text.count("(cid:") * 5 > len(letters) * 0.2


def _has_hidden_text(page: PageObject) -> bool:
    """Whether text on the page is drawn in mode 3, neither filled nor stroked (ISO 32000-1, 9.3.6)."""
    try:
        content = page.get_contents()
        return content is not None and _HIDDEN.search(content.get_data()) is not None
    except (MemoryError, RecursionError):
        raise
    except Exception:  # as in `_open`; its text was read, so it is no reason to refuse it
        return False


def _embedded_invoice(reader: PdfReader) -> tuple[Parsed | None, tuple[str, ...]]:
    """The invoice attached as XML, with its text, and what was wrong with attachments that looked like one."""
    warnings: list[str] = []
    found: list[Parsed] = []
    for attached_name, content in _xml_attachments(reader, warnings):
        try:
            parsed = parse_invoice(content)
        except Unreadable as error:
            if attached_name.lower() in _STANDARD_NAMES:
                warnings.append(f"the attached {attached_name} cannot be used: {error.message}")
            continue
        if parsed.fields not in [known.fields for known in found]:
            found.append(parsed)
    if len(found) > 1:
        warnings.append("this PDF holds more than one XML invoice; the first was used")
    return (found[0] if found else None), tuple(warnings)


def _xml_attachments(reader: PdfReader, warnings: list[str]) -> list[tuple[str, bytes]]:
    """Attached XML files, those with a standard name first. A broken attachment list is a warning, not an error."""
    try:
        attached = reader.attachment_list
        names = [(a, a.name) for _, a in zip(range(limits.ATTACHMENTS_MAX), attached, strict=False)]
        wanted = [(a, n) for a, n in names if n.lower().endswith(".xml")]
        wanted.sort(key=lambda pair: pair[1].lower() not in _STANDARD_NAMES)
        return [(n, a.content) for a, n in wanted]
    except (MemoryError, RecursionError):
        raise
    except Exception as error:  # as in `_open`
        warnings.append(f"the attachments of this PDF cannot be read ({str(error)[:80]})")
        return []
