"""Who is asked, and with which key: addresses, loopback, certificates, secrets."""

from __future__ import annotations

import json
import re
import shutil
import ssl
import subprocess
import threading
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from skerry.settings import Model
from skerry_workers.models import openai
from skerry_workers.models.openai_http import address_of
from skerry_workers.models.port import ModelBroken, ModelError, ModelSpec, ModelUnavailable, Question
from tests.models.endpoint import EndpointServer, Likeness

KEY = "sk-tests-4f1c9e"
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
QUESTION = Question(system="s", text="t", schema=SCHEMA, timeout_s=20.0)


def spec(url: str, *, model: str = "m1", key_variable: str = "", **options: Any) -> ModelSpec:
    return ModelSpec(name="m", backend="openai", url=url, model=model, key_variable=key_variable, options=options)


@pytest.mark.parametrize(
    ("url", "written"),
    [
        ("http://localhost:11434/v1", "http://localhost:11434/v1"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/v1"),
        ("https://api.example/", "https://api.example:443/v1"),
        ("http://[::1]:1/x/", "http://[::1]:1/x"),
        ("https://API.Example:8443/openai/v1", "https://api.example:8443/openai/v1"),
    ],
)
def test_addresses(url: str, written: str) -> None:
    assert str(address_of(url)) == written


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:8080",
        "ftp://localhost/",
        "http://",
        "http://h:99999/",
        "http://[::1/",
        "http://a b/",
        "http://h/\r",
    ],
)
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(ModelBroken):
        openai.load(spec(url))


@pytest.mark.parametrize("url", [f"https://me:{KEY}@h/v1", f"https://h/v1?key={KEY}", f"https://{KEY}@h/v1"])
def test_a_secret_in_the_address_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(ModelBroken) as refused:
        openai.load(spec(url))
    assert KEY not in str(refused.value) + refused.value.hint
    assert "key_variable" in refused.value.hint


@pytest.mark.parametrize(
    ("url", "model", "options", "local"),
    [
        ("http://localhost:1/v1", "m", {}, True),
        ("http://127.8.9.1:1/v1", "m", {}, True),
        ("http://[::1]:1/v1", "m", {}, True),
        ("https://foundry.localhost/v1", "m", {}, True),
        ("http://192.168.1.7/v1", "m", {}, False),
        ("https://localhost.example/v1", "m", {}, False),
        ("https://api.example/v1", "m", {"local": True}, False),
        ("http://localhost:1/v1", "gpt-oss:120b-cloud", {}, False),
        ("http://localhost:1/v1", "kimi:cloud", {}, False),
        ("http://localhost:1/v1", "m", {"local": False}, False),
    ],
)
def test_what_stays_on_this_machine(url: str, model: str, options: dict[str, Any], local: bool) -> None:
    assert openai.is_local(spec(url, model=model, **options)) is local


def test_http_to_another_machine_needs_a_word() -> None:
    with pytest.raises(ModelBroken, match="not encrypted") as refused:
        openai.load(spec("http://192.0.2.1:8000/v1"))
    assert "insecure" in refused.value.hint
    openai.load(spec("http://192.0.2.1:8000/v1", insecure=True, probe=False)).close()


def test_the_key_is_sent_and_never_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_ENDPOINT_KEY", f"{KEY}\n")
    with EndpointServer(Likeness(key=KEY, answer={"a": 1})) as server:
        backend = openai.load(spec(server.url, key_variable="TEST_ENDPOINT_KEY"))
        assert bytes(backend.answer(QUESTION, threading.Event()).value) == b'{"a": 1}'
        assert KEY not in repr(backend) + backend.digest + repr(backend.capabilities)
        server.likeness.key = "another"
        with pytest.raises(ModelBroken) as refused:
            backend.answer(QUESTION, threading.Event())
        assert "Incorrect API key provided: Bearer ***" in refused.value.message
        assert KEY not in refused.value.message + refused.value.hint
        assert "TEST_ENDPOINT_KEY" in refused.value.hint
        backend.close()


def test_the_key_in_a_header_of_another_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_ENDPOINT_KEY", KEY)
    with EndpointServer(Likeness(answer={"a": 1})) as server:
        openai.load(spec(server.url, key_variable="TEST_ENDPOINT_KEY", key_header="api-key")).close()
        assert all(each["api-key"] == KEY and "Authorization" not in each for each in server.headers)


def test_a_key_that_is_refused_breaks_the_model_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_ENDPOINT_KEY", "wrong")
    with EndpointServer(Likeness(key=KEY)) as server:
        with pytest.raises(ModelBroken, match="401") as refused:
            openai.load(spec(server.url, key_variable="TEST_ENDPOINT_KEY"))
        assert "TEST_ENDPOINT_KEY" in refused.value.hint
        with pytest.raises(ModelBroken, match="401") as refused:
            openai.load(spec(server.url))
        assert "key_variable" in refused.value.hint


@pytest.mark.parametrize("key", ["", "  ", "two words", "line\r\nInjected: 1", "clé"])
def test_a_key_that_cannot_be_sent(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setenv("TEST_ENDPOINT_KEY", key)
    with pytest.raises(ModelBroken) as refused:
        openai.load(spec("http://127.0.0.1:9/v1", key_variable="TEST_ENDPOINT_KEY"))
    assert not key.strip() or key not in refused.value.message


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")
    with EndpointServer(Likeness(answer={"a": 1})) as server:
        backend = openai.load(spec(server.url))
        assert bytes(backend.answer(QUESTION, threading.Event()).value) == b'{"a": 1}'
        backend.close()


def test_the_settings_in_the_guide_are_right() -> None:
    guide = Path(__file__).parents[2] / "docs" / "guides" / "models.md"
    blocks = re.findall(r"```toml\n(.*?)```", guide.read_text(encoding="utf-8").partition("## Endpoints")[2], re.DOTALL)
    tables = [table for block in blocks for table in tomllib.loads(block).get("models", {}).values()]
    models = [msgspec.convert(table, Model) for table in tables]
    assert len(models) >= 5
    for model in models:
        of_it = ModelSpec(name="m", backend="openai", url=model.url, model=model.model, options=model.options)
        assert openai.is_local(of_it) == address_of(model.url).loopback
    said = guide.read_text(encoding="utf-8").partition("### Options")[2]
    assert {name for name in openai.Options.__struct_fields__ if f"`{name}`" not in said} == set()


# --- TLS --------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that nobody has signed, and its key."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("there is no openssl to make a certificate with")
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = folder / "cert.pem", folder / "key.pem"
    made = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(
        [openssl, *made, *names, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True
    )
    return certificate, key


@pytest.fixture
def tls(certificate: tuple[Path, Path]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    return context


def test_https_with_a_certificate_of_our_own(certificate: tuple[Path, Path], tls: ssl.SSLContext) -> None:
    with EndpointServer(Likeness(answer={"a": 1}), tls=tls) as server:
        backend = openai.load(spec(server.url, ca=str(certificate[0])))
        assert backend.capabilities.schema
        for _ in range(2):
            answer = backend.answer(QUESTION, threading.Event())
            assert json.loads(bytes(answer.value)) == {"a": 1}
        server.fault = lambda exchange: exchange.until_gone()
        late = Question(system="s", text="t", schema=SCHEMA, timeout_s=0.3)
        with pytest.raises(ModelUnavailable, match=r"within 0\.3 s"):
            backend.answer(late, threading.Event())
        backend.close()


def test_a_certificate_that_nobody_vouches_for_is_refused(tls: ssl.SSLContext) -> None:
    with EndpointServer(Likeness(answer={"a": 1}), tls=tls) as server:
        with pytest.raises(ModelBroken, match="certificate is not trusted"):
            openai.load(spec(server.url))
        assert server.asked == []


def test_https_to_a_server_that_speaks_http() -> None:
    with EndpointServer(Likeness(answer={"a": 1})) as server:
        backend = openai.load(spec(server.url.replace("http:", "https:")))
        with pytest.raises(ModelUnavailable):
            backend.answer(QUESTION, threading.Event())
        backend.close()


def test_certificates_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    for ca in ("ca.pem", "nothing.pem"):
        with pytest.raises(ModelError, match="ca"):
            openai.load(spec("https://127.0.0.1:9/v1", ca=str(tmp_path / ca)))
