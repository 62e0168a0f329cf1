"""Makes the message of the email demo that has a document: python -m tests.email_triage.make_demo FOLDER

The others are written by hand. Companies, people and numbers are invented.
"""

from __future__ import annotations

import datetime as dt
import sys
from email import policy
from email.message import EmailMessage
from pathlib import Path

from tests.invoice.make_demo import GERMAN, OURS, Company, Invoice, iban, item, pdf

WEISSMANN = Company(
    "Wäscherei Weißmann KG", "Am Hafen 3", "24937", "Förderstadt", "DE", "DE876543309",
    iban("DE", "999500009876543210"), "buero@weissmann.example",
)  # fmt: skip
LINEN = Invoice(
    WEISSMANN, OURS, "W-25-0311", dt.date(2025, 3, 31), dt.date(2025, 4, 14), "EUR", 19,
    (item("Bettwäsche, Garnitur", 214, "3.10"), item("Frottiertuch", 390, "0.95"), item("Abholung", 4, "12.00")),
    "B-7690",
)  # fmt: skip
TEXT = """\
Guten Tag,

anbei erhalten Sie unsere Rechnung W-25-0311 für die Hotelwäsche im März, zahlbar innerhalb von 14 Tagen.

Mit freundlichen Grüßen
Wäscherei Weißmann KG
"""


def message() -> bytes:
    """A mail with an invoice."""
    made = EmailMessage(policy=policy.SMTP.clone(linesep="\n"))
    made["Message-ID"] = "<W-25-0311@weissmann.example>"
    made["Date"] = "Mon, 02 Mar 2026 08:15:00 +0100"
    made["From"] = "Wäscherei Weißmann <buero@weissmann.example>"
    made["To"] = "ada@fjordblick.example"
    made["Subject"] = "Rechnung W-25-0311"
    made["User-Agent"] = "Mozilla Thunderbird"
    made.set_content(TEXT, cte="quoted-printable")
    made.add_attachment(pdf(LINEN, GERMAN), maintype="application", subtype="pdf", filename="rechnung-W-25-0311.pdf")
    made.set_boundary("waesche-0311")
    return made.as_bytes()


if __name__ == "__main__":
    (Path(sys.argv[1]) / "02-rechnung-waesche.eml").write_bytes(message())
