"""Programs that the tests start, and an upstream that never ends its answer."""

import os
import socket
import subprocess
import threading
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 30


def irongate_binary():
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    path = Path(os.environ.get("IRONGATE_BIN", target / "debug" / "irongate")).resolve()
    assert path.exists(), f"{path} does not exist: build it with `cargo build -p gateway`, or set IRONGATE_BIN"
    return path


def free_address():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def wait_for(condition, what, process=None):
    """Returns what `condition` returns as soon as that is true."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        assert process is None or process.poll() is None, f"{what}: the process ended with {process.returncode}"
        time.sleep(0.02)
    raise AssertionError(f"{what}: not within {PATIENCE_S} s")


def accepts(address):
    host, port = address.split(":")
    try:
        socket.create_connection((host, int(port)), timeout=1).close()
        return True
    except OSError:
        return False


def is_ready(address):
    try:
        with urllib.request.urlopen(f"http://{address}/health/ready", timeout=2) as answer:
            return answer.status == 200
    except OSError:
        return False


def clean_environment(**more):
    """No key or setting of the machine may decide what is tested."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "TMPDIR", "CARGO_TARGET_DIR", "LANG")}
    return {**kept, **more}


class Program:
    """A program with its output in a file, ended with the tests."""

    def __init__(self, command, folder, name, **environment):
        self.log = folder / f"{name}.log"
        with open(self.log, "wb") as output:
            self.process = subprocess.Popen(
                [str(word) for word in command], cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                env=clean_environment(**environment),
            )

    def said(self):
        return self.log.read_text(errors="replace")

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(40)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"no end within 40 s of SIGTERM:\n{self.said()[-3000:]}") from None


FIRST_EVENTS = {
    "openai": 'data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"endless","choices":'
    '[{"index":0,"delta":{"role":"assistant","content":"word "},"finish_reason":null}]}\n\n',
    "anthropic": 'event: message_start\ndata: {"type":"message_start","message":{"id":"m1","type":"message","role":"assistant",'
    '"model":"endless","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":1,"output_tokens":1}}}\n\n'
    'event: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}\n\n',
    "gemini": "",
}
NEXT_EVENT = {
    "openai": FIRST_EVENTS["openai"].replace('"role":"assistant",', ""),
    "anthropic": 'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":'
    '{"type":"text_delta","text":"word "}}\n\n',
    "gemini": 'data: {"candidates":[{"content":{"parts":[{"text":"word "}],"role":"model"},"index":0}]}\n\n',
}


class EndlessUpstream:
    """Streams words until the other side goes away, and says when it did."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.started = threading.Semaphore(0)
        self.abandoned = threading.Semaphore(0)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with client:
            path = self._read_request(client)
            if path is None:
                return
            if path.endswith("/models"):
                # The gateway asks for the model list; there is none, and it must not count as a stream.
                client.sendall(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
                return
            dialect = "openai" if "chat/completions" in path else "anthropic" if "/messages" in path else "gemini"
            head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
            self.started.release()
            try:
                client.sendall(head.encode() + chunk(FIRST_EVENTS[dialect]))
                client.settimeout(0.02)
                while True:
                    client.sendall(chunk(NEXT_EVENT[dialect]))
                    try:
                        if client.recv(1) == b"":
                            break
                    except TimeoutError:
                        pass
            except OSError:
                pass
            self.abandoned.release()

    @staticmethod
    def _read_request(client):
        received = b""
        while b"\r\n\r\n" not in received:
            piece = client.recv(65536)
            if not piece:
                return None
            received += piece
        head, _, body = received.partition(b"\r\n\r\n")
        length = 0
        for line in head.split(b"\r\n"):
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        while len(body) < length:
            body += client.recv(65536)
        return head.split(b" ")[1].decode().split("?")[0]

    def stop(self):
        self.listener.close()


def chunk(event):
    data = event.encode()
    return b"%x\r\n%s\r\n" % (len(data), data) if data else b""
