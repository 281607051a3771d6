"""What fails, and that each SDK sees an error of its own kind which says why."""

import urllib.error
import urllib.request

import pytest


def test_wrong_key(client_type, gateway):
    client = client_type(gateway.url, "wrong-key-of-a-stranger")
    failure = client.failure(lambda: client.ask("openai/gpt-4o", client.user("Hello")))
    assert failure is not None and failure.status == 401
    assert "stranger" not in failure.message, "a key is never repeated"


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages", "/v1beta/models/openai/gpt-4o:generateContent"])
def test_no_key(gateway, path):
    request = urllib.request.Request(gateway.url + path, data=b"{}", headers={"content-type": "application/json"})
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=10)
    assert caught.value.code == 401


def test_unknown_model(client):
    failure = client.failure(lambda: client.ask("no-such-model-anywhere", client.user("Hello")))
    assert failure is not None and failure.status == 400
    assert "no-such-model-anywhere" in failure.message


def test_bad_field(client, model):
    failure = client.failure(lambda: client.ask(model, client.user("Hello"), max_tokens=-5))
    assert failure is not None and failure.status == 400


def test_upstream_rate_limit(client, model):
    for ask in (client.ask, client.stream):
        failure = client.failure(lambda: ask(f"{model}+status=429", client.user("Hello")))
        assert failure is not None and failure.status == 429


def test_upstream_overload(client, model):
    failure = client.failure(lambda: client.ask(f"{model}+status=503", client.user("Hello")))
    assert failure is not None and failure.status in (503, 529)


def test_upstream_key_refused_is_not_the_clients_fault(client, model):
    failure = client.failure(lambda: client.ask(f"{model}+status=401", client.user("Hello")))
    assert failure is not None and failure.status >= 500, "the provider's key is the gateway's business"


def test_error_inside_a_stream(client, model):
    failure = client.failure(lambda: client.stream(f"{model}+chunks=20+error_at=6", client.user("Hello")))
    assert failure is not None


@pytest.mark.parametrize("fault", ["cut=6", "eof=6"])
def test_a_stream_that_breaks_off_is_an_error(client, model, fault):
    """Half an answer must not look like a whole one."""
    received = []

    def ask():
        received.append(client.stream(f"{model}+chunks=20+{fault}", client.user("Hello")))

    failure = client.failure(ask)
    assert failure is not None, received
