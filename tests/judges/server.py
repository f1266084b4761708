"""A started accountd on a free port of this machine, with a directory of its own, which ends with the block."""

import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BINARY = os.path.abspath(os.environ.get("ACCOUNTD_BIN") or ROOT / "target" / "debug" / "accountd")
PASSWORD = "correct-horse-battery-7"
READY_WITHIN_SECONDS = 120


@contextmanager
def started(**settings):
    """The port and the directory of a server that has the administrator `root`; its faults fail the run."""
    with tempfile.TemporaryDirectory(prefix="accountd-judges-") as directory:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("ACCOUNTD_")}
        environment |= settings
        port = free_port()
        with open(Path(directory) / "log", "w+") as log:
            serve = [BINARY, "serve", "--listen", f"127.0.0.1:{port}", "--data-dir", directory]
            server = subprocess.Popen(serve, env=environment, stdout=log, stderr=log)
            try:
                wait_until_ready(server, port)
                make_admin(directory, environment)
                yield port, directory
            finally:
                server.terminate()
                server.wait()
            log.seek(0)
            faults = [line for line in log if "internal error" in line or "panicked" in line]
        sys.stdout.writelines(faults)
        if faults:
            sys.exit(1)


def make_admin(directory, environment):
    command = [BINARY, "admin", "create", "root", "--password-stdin", "--data-dir", directory]
    subprocess.run(command, env=environment, input=PASSWORD, text=True, check=True)


def sign_in(port):
    status, answer = ask(port, "POST", "/login", {"username": "root", "password": PASSWORD})
    if status != 200:
        sys.exit(f"POST /login answered {status} {answer}")
    return answer["access_token"]


def ask(port, method, path, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, path, body and json.dumps(body), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, json.load(answer)
    finally:
        connection.close()


def wait_until_ready(server, port):
    deadline = time.monotonic() + READY_WITHIN_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            if ask(port, "GET", "/readyz")[0] == 200:
                return
        except OSError:
            time.sleep(0.05)
    sys.exit(f"{BINARY} was not ready in time")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
