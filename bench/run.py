#!/usr/bin/env python3
"""Measures irongate next to nginx on this machine: CPU per request and per chunk, first-token time, memory, start.

The measured server has core 0 to itself; the upstream and the load share core 1. A run with a failed or wrong answer
does not count and makes the whole benchmark fail. `make bench` builds what this needs and calls it.
"""

import argparse
import json
import os
import platform
import resource
import secrets
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

BEGIN, END = "<!-- bench:begin -->", "<!-- bench:end -->"
SERVER_CORE, HARNESS_CORE = "0", "1"


@dataclass(frozen=True)
class Scenario:
    name: str
    client: str = "openai"
    provider: str = "openai"
    connections: int = 64
    prompt_bytes: int = 300
    chunks: int = 0  # 0: no stream
    pause_ms: int = 0
    target: float = 1.7  # the ratio to nginx that must be reached; for chunks_per_second at least, else at most
    figure: str = "cpu_us_per_request"

    @property
    def model(self):
        return f"bench-c{self.chunks}-p{self.pause_ms}" if self.chunks else "bench"

    @property
    def passed_by_more(self):
        return self.figure == "chunks_per_second"


def pairs():
    dialects = ("openai", "anthropic", "gemini")
    return [(client, provider) for client in dialects for provider in dialects if client != provider]


def scenarios():
    relay = [Scenario(f"relay {name}, 64 connections", name, name) for name in ("openai", "anthropic", "gemini")]
    relay.append(Scenario("relay openai, 16 connections", connections=16))
    relay.append(Scenario("relay openai, 1 connection", connections=1))
    translate = [Scenario(f"{client} to {provider}", client, provider, target=2.5) for client, provider in pairs()]
    large = [
        Scenario("58 kB prompt, relay", connections=16, prompt_bytes=58_000, target=1.5),
        Scenario("58 kB prompt, openai to anthropic", provider="anthropic", connections=16, prompt_bytes=58_000, target=4),
    ]
    paced = dict(connections=200, chunks=200, pause_ms=5, target=1.4, figure="cpu_us_per_chunk")
    streams = [
        Scenario("200 streams, a chunk each 5 ms, relay", **paced),
        Scenario("200 streams, a chunk each 5 ms, openai to anthropic", provider="anthropic", **paced),
        Scenario("200 streams, a chunk each 5 ms, anthropic to gemini", "anthropic", "gemini", **paced),
    ]
    burst = dict(connections=16, chunks=2000, target=0.3, figure="chunks_per_second")
    streams += [
        Scenario("stream without pause, relay", **burst),
        Scenario("stream without pause, openai to anthropic", provider="anthropic", **burst),
    ]
    return relay + translate + large + streams


class Server:
    """A process that was started here, pinned to one core, and is ended here."""

    def __init__(self, name, command, core, address, environment=None, log=None):
        self.name, self.address = name, address
        output = open(log, "ab") if log else subprocess.DEVNULL
        self.process = subprocess.Popen(
            ["taskset", "-c", core, *command], stdout=output, stderr=output, stdin=subprocess.DEVNULL,
            env={**os.environ, **(environment or {})},
        )
        self.log = log

    @property
    def pids(self):
        """The process and its children (nginx keeps a master)."""
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [pid, *map(int, children)]

    def wait(self, seconds=20):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                sys.exit(f"{self.name} ended at once:\n{self.said()}")
            if accepts(self.address):
                return
            time.sleep(0.01)
        sys.exit(f"{self.name} does not accept connections after {seconds} s:\n{self.said()}")

    def said(self):
        return Path(self.log).read_text(errors="replace")[-2000:] if self.log else "(nothing kept)"

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def accepts(address):
    host, port = address.split(":")
    try:
        socket.create_connection((host, int(port)), timeout=1).close()
        return True
    except OSError:
        return False


def free_address():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def resident_kib(pids):
    total = 0
    for pid in pids:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                total += int(line.split()[1])
    return total


NGINX = """
daemon off;
worker_processes 1;
worker_rlimit_nofile 60000;
pid {folder}/nginx.pid;
error_log {folder}/nginx-error.log warn;
events {{ worker_connections 20000; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    client_body_buffer_size 4m;
    client_max_body_size 16m;
    keepalive_requests 1000000000;
    upstream provider {{ server {upstream}; keepalive 512; keepalive_requests 1000000000; }}
    server {{
        listen {address} backlog=4096;
        location / {{
            proxy_pass http://provider;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_read_timeout 300s;
            {buffering}
        }}
    }}
}}
"""


class Bench:
    def __init__(self, options):
        self.options = options
        self.folder = Path(tempfile.mkdtemp(prefix="irongate-bench-"))
        self.seconds, self.warmup, self.rounds = (3, 1, 1) if options.quick else (10, 2, 3)
        self.seconds, self.rounds = options.seconds or self.seconds, options.rounds or self.rounds
        self.servers = []
        self.problems = []

    def start(self):
        self.upstream = self.add("upstream", [self.options.gwbench, "upstream", "--listen"], HARNESS_CORE)
        # Streams need nginx without buffering; whole answers are cheaper for it with.
        self.nginx = self.add_nginx("nginx", "")
        self.nginx_stream = self.add_nginx("nginx-stream", "proxy_buffering off;")
        self.irongate = None
        if self.options.irongate:
            self.write_config()
            self.irongate = self.start_irongate()

    def add(self, name, command, core, address=None, **more):
        address = address or free_address()
        command = command if more.pop("complete", False) else [*command, address]
        server = Server(name, command, core, address, log=str(self.folder / f"{name}.log"), **more)
        self.servers.append(server)
        server.wait()
        return server

    def nginx_command(self, name, buffering):
        address, folder = free_address(), self.folder / name
        folder.mkdir(exist_ok=True)
        path = folder / "nginx.conf"
        path.write_text(
            NGINX.format(folder=folder, upstream=self.upstream.address, address=address, buffering=buffering)
        )
        binary = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
        if not binary:
            sys.exit("nginx is missing: install the package nginx-light")
        return [binary, "-p", str(folder), "-c", str(path), "-e", str(folder / "nginx-error.log")], address

    def add_nginx(self, name, buffering):
        command, address = self.nginx_command(name, buffering)
        return self.add(name, command, SERVER_CORE, address, complete=True)

    def write_config(self):
        lines = ["providers:"]
        for name, path in (("openai", "/v1"), ("anthropic", ""), ("gemini", "")):
            lines += [f"  {name}:", f"    type: {name}", f"    base_url: http://{self.upstream.address}{path}",
                      "    api_key: upstream-key"]
        # In the file, so that every fresh data directory knows it.
        self.key = "bench-" + secrets.token_hex(16)
        lines += ["keys:", "  - name: bench", f"    key: {self.key}"]
        self.config = self.folder / "irongate.yaml"
        self.config.write_text("\n".join(lines) + "\n")
        self.config.chmod(0o600)
        self.data_directories = 0

    def irongate_arguments(self):
        """A process has a data directory to itself: each start gets a new one."""
        self.data_directories += 1
        return ["--config", str(self.config), "--data-dir", str(self.folder / f"data-{self.data_directories}")]

    def irongate_command(self, address):
        return [self.options.irongate, "serve", "--listen", address, *self.irongate_arguments()]

    def start_irongate(self):
        address = free_address()
        return self.add("irongate", self.irongate_command(address), SERVER_CORE, address, complete=True)

    def gwbench(self, verb, server, scenario, *more):
        is_irongate = server is self.irongate
        model = f"{scenario.provider}/{scenario.model}" if is_irongate else scenario.model
        command = ["taskset", "-c", HARNESS_CORE, self.options.gwbench, verb, "--target", server.address,
                   "--dialect", scenario.client, "--model", model, "--connections", str(scenario.connections),
                   "--prompt-bytes", str(scenario.prompt_bytes), "--pid", ",".join(map(str, server.pids))]
        if is_irongate:
            command += ["--key", self.key]
        if scenario.chunks:
            command += ["--stream", "--chunks", str(scenario.chunks)]
        done = subprocess.run([*command, *more], capture_output=True, text=True)
        if done.returncode != 0:
            return {"failed": 1, "first_error": done.stderr.strip()}
        return json.loads(done.stdout)

    def measure(self, server, scenario):
        result = self.gwbench(
            "load", server, scenario, "--seconds", str(self.seconds), "--warmup", str(self.warmup)
        )
        if result["failed"] or not result[("chunks" if scenario.chunks else "requests")]:
            problem = f"{server.name}: {scenario.name}: {result['failed']} failed: {result['first_error']}"
            self.problems.append(problem)
            print(f"  does not count: {problem}", file=sys.stderr, flush=True)
            return None
        return result

    def compare(self, chosen):
        """Interleaved rounds: whatever disturbs this machine disturbs both."""
        results = {scenario: {} for scenario in chosen}
        for number in range(self.rounds):
            for scenario in chosen:
                nginx = self.nginx_stream if scenario.chunks else self.nginx
                servers = [("nginx", nginx)] + ([("irongate", self.irongate)] if self.irongate else [])
                if scenario.connections == 1 or scenario.pause_ms:
                    servers.append(("direct", self.upstream))
                for name, server in servers:
                    print(f"round {number + 1} of {self.rounds}: {scenario.name}: {name}", file=sys.stderr, flush=True)
                    result = self.measure(server, scenario)
                    results[scenario].setdefault(name, []).append(result)
        return {scenario: {name: median(runs) for name, runs in found.items()} for scenario, found in results.items()}

    def memory(self):
        """Resident memory of a fresh server, and what a thousand open streams add."""
        idle = {}
        streams = Scenario("open streams", connections=200 if self.options.quick else 1000, chunks=2, pause_ms=600_000)
        fresh = {"nginx": lambda: self.add_nginx("nginx-fresh", "proxy_buffering off;")}
        if self.irongate:
            fresh["irongate"] = self.start_irongate
        current = self.irongate
        for name, start in fresh.items():
            server = start()
            if name == "irongate":
                self.irongate = server
            time.sleep(1)
            row = {"idle_mib": resident_kib(server.pids) / 1024}
            held = self.gwbench("hold", server, streams)
            if held["failed"]:
                self.problems.append(f"{name}: open streams: {held['first_error']}")
            row["kib_per_stream"] = held.get("kib_per_stream")
            idle[name] = row
            server.stop()
        self.irongate = current
        return idle

    def start_times(self):
        """Milliseconds from the start of the process to its first whole answer."""
        def once(command, address, key, model):
            begun = time.perf_counter()
            server = Server("start", command, SERVER_CORE, address)
            try:
                body = json.dumps({"model": model, "messages": [{"role": "user", "content": "Hi"}]})
                text = (f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\nconnection: close\r\n"
                        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n{body}").encode()
                while time.perf_counter() - begun < 20:
                    if answers(address, text):
                        return (time.perf_counter() - begun) * 1000
                    time.sleep(0.0005)
                return None
            finally:
                server.stop()

        times, repeats = {}, 3 if self.options.quick else 11
        command, address = self.nginx_command("nginx-start", "")
        times["nginx"] = statistics.median(filter(None, (once(command, address, "", "bench") for _ in range(repeats))))
        if self.irongate:
            found = []
            for _ in range(repeats):
                address = free_address()
                found.append(once(self.irongate_command(address), address, self.key, "openai/bench"))
            if None in found:
                self.problems.append("irongate: start: no answer within 20 s")
            else:
                times["irongate"] = statistics.median(found)
        return times

    def stop(self):
        for server in reversed(self.servers):
            server.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def answers(address, request):
    host, port = address.split(":")
    try:
        with socket.create_connection((host, int(port)), timeout=5) as client:
            client.sendall(request)
            received = b""
            while piece := client.recv(65536):
                received += piece
    except OSError:
        return False
    return received.startswith(b"HTTP/1.1 200") and b"bench-mark-end" in received


def median(runs):
    """Field by field, or None when a run does not count."""
    if not runs or any(run is None for run in runs):
        return None
    numbers = [key for key, value in runs[0].items() if isinstance(value, (int, float))]
    return {key: statistics.median(run[key] for run in runs) for key in numbers}


def machine():
    model = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    virtual = any("hypervisor" in line for line in Path("/proc/cpuinfo").read_text().splitlines() if "flags" in line)
    kind = "a virtual machine, shared with others" if virtual else "a machine"
    return f"{kind}: {model}, {os.cpu_count()} cores, Linux {platform.release()}"


def version(command):
    done = subprocess.run(command, capture_output=True, text=True)
    return (done.stdout + done.stderr).strip().splitlines()[0] if done.returncode == 0 else "unknown"


def ratio_row(scenario, found):
    nginx, irongate = found.get("nginx"), found.get("irongate")
    sign = ">=" if scenario.passed_by_more else "<="
    if not nginx or not irongate:
        return [scenario.name, "does not count", f"{sign} {scenario.target:g}"]
    ratio = irongate[scenario.figure] / nginx[scenario.figure] if nginx[scenario.figure] else float("nan")
    met = ratio >= scenario.target if scenario.passed_by_more else ratio <= scenario.target
    return [scenario.name, f"**{ratio:.2f}**" + ("" if met else " (missed)"), f"{sign} {scenario.target:g}"]


def absolute_row(scenario, name, run):
    if not run:
        return [scenario.name, name] + ["-"] * 6
    per_second = run["chunks_per_second"] if scenario.chunks else run["per_second"]
    cpu = run["cpu_us_per_chunk"] if scenario.chunks else run["cpu_us_per_request"]
    first, middle, last = ("first_token_p50_us", "first_token_p99_us", None) if scenario.chunks else ("p50_us", "p99_us", None)
    busy = "-" if name == "direct" else f"{run['cpu_share']:.0%}"
    return [scenario.name, name, "-" if name == "direct" else f"{cpu:.1f}", f"{per_second:,.0f}",
            f"{run[first]:,.0f}", f"{run[middle]:,.0f}", busy, f"{run['rss_kib'] / 1024:.1f}"]


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(map(str, row)) + " |" for row in rows])


def added_first_token(results):
    rows = []
    for scenario, found in results.items():
        direct = found.get("direct")
        if scenario.pause_ms and direct:
            for name in ("nginx", "irongate"):
                if found.get(name):
                    added = (found[name]["first_token_p99_us"] - direct["first_token_p99_us"]) / 1000
                    rows.append([scenario.name, name, f"{added:.2f}", "<= 2" if name == "irongate" else ""])
    return rows


def render(bench, results, memory, starts):
    quick = " This was a quick run: one short round, good for a first look only." if bench.options.quick else ""
    parts = [
        f"Measured on {time.strftime('%Y-%m-%d')} on {machine()}. "
        f"{version([shutil.which('nginx') or '/usr/sbin/nginx', '-v'])}; medians of {bench.rounds} interleaved rounds of "
        f"{bench.seconds} s. The measured server had one core, the upstream and the load the other; CPU time comes from the "
        f"process's own accounting.{quick}",
    ]
    if bench.irongate:
        ratios = [ratio_row(scenario, found) for scenario, found in results.items()]
        parts += ["### Multiples of nginx", "CPU per request or per chunk (less is better); for streams without pause, "
                  "chunks per second (more is better).", table(["scenario", "irongate / nginx", "target"], ratios)]
    rows = [absolute_row(scenario, name, found[name])
            for scenario, found in results.items() for name in ("nginx", "irongate", "direct") if name in found]
    parts += ["### Absolute", "Latencies are of a whole answer, for streams of the first token. `direct` is the upstream "
              "without anything before it.",
              table(["scenario", "server", "CPU us", "per second", "p50 us", "p99 us", "core busy", "RSS MiB"], rows)]
    added = added_first_token(results)
    if added:
        parts += ["### First token, added to direct", table(["scenario", "server", "p99, ms", "target"], added)]
    rows = []
    for name, row in memory.items():
        per_stream = f"{row['kib_per_stream']:.1f}" if row["kib_per_stream"] is not None else "-"
        rows.append([name, f"{row['idle_mib']:.1f}", per_stream, f"{starts[name]:.0f}" if name in starts else "-"])
    rows.append(["target", "<= 15", "<= 40", "<= 200"])
    parts += ["### Memory and start", table(["server", "idle, MiB", "per open stream, KiB", "start to first answer, ms"], rows)]
    if bench.problems:
        parts += ["### Runs that do not count", "\n".join(f"- {problem}" for problem in bench.problems)]
    return "\n\n".join(parts) + "\n"


def write_between_markers(path, text):
    page = path.read_text() if path.exists() else f"# Performance\n\n{BEGIN}\n{END}\n"
    if BEGIN not in page or END not in page:
        sys.exit(f"{path} lacks the markers {BEGIN} and {END}")
    before, rest = page.split(BEGIN, 1)
    after = rest.split(END, 1)[1]
    path.write_text(f"{before}{BEGIN}\n\n{text}\n{END}{after}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gwbench", required=True)
    parser.add_argument("--irongate", help="the binary to measure; without it nginx alone is measured")
    parser.add_argument("--quick", action="store_true", help="one round of 3 s")
    parser.add_argument("--seconds", type=int, help="length of a round")
    parser.add_argument("--rounds", type=int, help="number of rounds")
    parser.add_argument("--only", default="", help="run the scenarios whose name contains this")
    parser.add_argument("--write", type=Path, help="Markdown file that gets the result between its markers")
    options = parser.parse_args()
    if (os.cpu_count() or 1) < 2:
        sys.exit("two cores are needed: one for the measured server, one for the load")
    for name in ("gwbench", "irongate"):
        if getattr(options, name):
            setattr(options, name, str(Path(getattr(options, name)).resolve()))
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    chosen = [scenario for scenario in scenarios() if options.only in scenario.name]
    bench = Bench(options)
    try:
        bench.start()
        results = bench.compare(chosen)
        memory, starts = bench.memory(), bench.start_times()
        text = render(bench, results, memory, starts)
    finally:
        bench.stop()
    print(text)
    if bench.problems:
        sys.exit("some runs do not count: see above")
    if options.write:
        write_between_markers(options.write, text)


if __name__ == "__main__":
    main()
