"""Links that say one thing and lead to another."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skerry_workflows.email.links import deceits, host_of, site_of
from skerry_workflows.email.model import Link


@pytest.mark.parametrize(
    ("target", "shown", "kinds"),
    [
        ("https://www.example.org/a", "www.example.org", []),
        ("https://mail.example.org/a", "https://example.org/login", []),
        ("https://evil.example/a", "https://www.example.org", ["shown"]),
        ("https://evil.example/a", "click here", []),
        ("https://evil.example/a", "report.pdf", []),
        ("https://evil.example/a", "Visit example.org", ["shown"]),
        ("http://192.0.2.7/x", "here", ["ip"]),
        ("http://3221225991/x", "here", ["ip"]),
        ("http://0xc0.0x0.2.7/", "here", ["ip"]),
        ("http://www.bank.example@evil.example/", "here", ["user"]),
        ("http:\\\\www.evil.example", "here", []),
        ("https://xn--pple-43d.com/", "here", ["homograph"]),
        ("https://аррӏе.com/", "here", ["homograph"]),
        ("https://müller.example/", "müller.example", ["punycode"]),
        ("javascript:alert(1)", "here", ["script"]),
        ("  java\nscript:alert(1)", "here", ["script"]),
        ("https://bit.ly/x", "here", ["short"]),
        ("https://example.org/r?url=https%3A%2F%2Fevil.example", "here", ["redirect"]),
        ("mailto:ada@example.org", "ada@example.org", []),
        ("https://[::1", "x", []),
        ("#top", "x", []),
    ],
)
def test_deceits(target: str, shown: str, kinds: list[str]) -> None:
    assert [each.kind for each in deceits([Link(target=target, shown=shown)])] == kinds


def test_hosts() -> None:
    assert host_of("HTTPS://User@Example.ORG:8443/x") == "example.org"
    assert host_of("www.example.org/x") == "www.example.org"
    assert (site_of("a.b.example.co.uk"), site_of("a.b.example.org")) == ("example.co.uk", "example.org")


@given(st.text(max_size=60), st.text(max_size=40))
def test_nothing_raises(target: str, shown: str) -> None:
    deceits([Link(target=target, shown=shown), Link(target=f"http://{target}", shown=f"http://{shown}")])
