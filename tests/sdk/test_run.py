"""`make run` in an empty folder: the curl lines that it prints are executed as they stand."""

import json
import re
import signal
import subprocess

from processes import ROOT, Program, clean_environment, free_address, wait_for

LINES = {"OpenAI": "choices", "Anthropic": "content", "Gemini": "candidates"}


def start(folder, address, binary):
    environment = {"RUN_DIR": str(folder), "LISTEN": address, "IRONGATE_BIN": str(binary)}
    program = Program([ROOT / "scripts" / "run.sh"], folder, "run", **environment)
    wait_for(lambda: "Stop with Ctrl-C" in program.said(), "the server is up", program.process)
    return program


def stop(program):
    program.process.send_signal(signal.SIGINT)
    assert program.process.wait(40) == 0, program.said()


def run_curl_lines(text, key):
    for name, field in LINES.items():
        line = re.search(rf"^{name}:\n\s+(curl .*)$", text, re.MULTILINE).group(1)
        done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, env=clean_environment(KEY=key))
        assert done.returncode == 0, done.stderr
        answer = json.loads(done.stdout)
        assert field in answer, answer
        assert "Hello" in done.stdout, "the mock repeats what it was told"


def test_the_printed_lines_work(binary, tmp_path):
    address = free_address()
    program = start(tmp_path, address, binary)
    said = program.said()
    assert f"http://{address}" in said
    key = re.search(r"^  KEY=(\S+)$", said, re.MULTILINE).group(1)
    run_curl_lines(said, key)
    stop(program)

    again = start(tmp_path, address, binary)
    said = again.said()
    assert key not in said, "a key is shown once"
    run_curl_lines(said, key)
    stop(again)

    for path in tmp_path.rglob("*"):
        if path.is_file() and path.name != "run.log":
            assert key.encode() not in path.read_bytes(), f"{path} holds the key in clear"
