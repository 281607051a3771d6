"""Starts the upstreams and one gateway for the whole run."""

import subprocess
from dataclasses import dataclass

import pytest
from clients import CLIENTS
from processes import EndlessUpstream, Program, accepts, clean_environment, free_address, irongate_binary, is_ready, wait_for

PROVIDERS = ("openai", "anthropic", "gemini")
MODELS = {"openai": "gpt-4o", "anthropic": "claude-sonnet-4-5", "gemini": "gemini-2.5-flash"}
# What each type of provider expects after the host in `base_url`.
BASE_PATHS = {"openai": "/v1", "anthropic": "", "gemini": ""}


@dataclass
class Gateway:
    url: str
    key: str
    endless: EndlessUpstream


@pytest.fixture(scope="session")
def binary():
    return irongate_binary()


@pytest.fixture(scope="session")
def mock(binary, tmp_path_factory):
    address = free_address()
    program = Program([binary, "mock", "--listen", address], tmp_path_factory.mktemp("mock"), "mock")
    wait_for(lambda: accepts(address), "the mock accepts connections", program.process)
    yield address
    program.stop()


@pytest.fixture(scope="session")
def endless():
    upstream = EndlessUpstream()
    yield upstream
    upstream.stop()


@pytest.fixture(scope="session")
def gateway(binary, mock, endless, tmp_path_factory):
    folder = tmp_path_factory.mktemp("gateway")
    config, data = folder / "irongate.yaml", folder / "data"
    lines = ["providers:"]
    for prefix, upstream in (("", mock), ("endless-", endless.address)):
        for name in PROVIDERS:
            lines += [f"  {prefix}{name}:", f"    type: {name}", f"    base_url: http://{upstream}{BASE_PATHS[name]}",
                      "    api_key: upstream-key"]
    config.write_text("\n".join(lines) + "\n")
    config.chmod(0o600)
    places = ["--config", config, "--data-dir", data]
    address = free_address()
    program = Program([binary, "serve", "--listen", address, *places], folder, "irongate")
    wait_for(lambda: is_ready(address), "the gateway is ready", program.process)
    made = subprocess.run(
        [binary, "keys", "create", "--name", "sdk", *places], cwd=folder, capture_output=True, text=True, env=clean_environment()
    )
    assert made.returncode == 0, made.stderr
    assert len(made.stdout.split()) == 1, "the key and nothing else goes to standard output"
    key = made.stdout.strip()
    url = f"http://{address}"
    # A key made by the command line works in the running server within a second.
    wait_for(lambda: key_works(url, key), "the new key works")
    yield Gateway(url, key, endless)
    program.stop()
    assert key not in program.said(), "the client's key is in the log"
    assert "upstream-key" not in program.said(), "the provider's key is in the log"


def key_works(url, key):
    import urllib.error
    import urllib.request

    request = urllib.request.Request(f"{url}/v1/models", headers={"authorization": f"Bearer {key}"})
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status == 200
    except urllib.error.HTTPError as error:
        assert error.code == 401, f"a key that is not known yet is a 401, not {error.code}"
        return False


@pytest.fixture(params=PROVIDERS)
def provider(request):
    return request.param


@pytest.fixture
def model(provider):
    return f"{provider}/{MODELS[provider]}"


@pytest.fixture(params=sorted(CLIENTS))
def client_type(request):
    return CLIENTS[request.param]


@pytest.fixture
def client(client_type, gateway):
    return client_type(gateway.url, gateway.key)
