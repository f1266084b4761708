"""Starts a server with a new data directory and a free local port for the duration of a block."""

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
READY_TIMEOUT_SECONDS = 120


@contextmanager
def running_server(**settings):
    """Port and directory of a server with the administrator `root`. Errors in its log fail the run."""
    with tempfile.TemporaryDirectory(prefix="accountd-conformance-") as directory:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("ACCOUNTD_")}
        environment |= settings
        port = free_port()
        with open(Path(directory) / "log", "w+") as log:
            serve = [BINARY, "serve", "--listen", f"127.0.0.1:{port}", "--data-dir", directory]
            server = subprocess.Popen(serve, env=environment, stdout=log, stderr=log)
            try:
                wait_until_ready(server, port)
                create_admin(directory, environment)
                yield port, directory
            finally:
                server.terminate()
                server.wait()
            log.seek(0)
            errors = [line for line in log if "internal error" in line or "panicked" in line]
        sys.stdout.writelines(errors)
        if errors:
            sys.exit(1)


def create_admin(directory, environment):
    command = [BINARY, "admin", "create", "root", "--password-stdin", "--data-dir", directory]
    subprocess.run(command, env=environment, input=PASSWORD, text=True, check=True)


def login(port):
    status, response = send(port, "POST", "/login", {"username": "root", "password": PASSWORD})
    if status != 200:
        sys.exit(f"POST /login returned {status} {response}")
    return response["access_token"]


def send(port, method, path, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, path, body and json.dumps(body), {"Content-Type": "application/json"})
        response = connection.getresponse()
        return response.status, json.load(response)
    finally:
        connection.close()


def wait_until_ready(server, port):
    deadline = time.monotonic() + READY_TIMEOUT_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            if send(port, "GET", "/readyz")[0] == 200:
                return
        except OSError:
            time.sleep(0.05)
    sys.exit(f"{BINARY} was not ready within {READY_TIMEOUT_SECONDS} s")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
