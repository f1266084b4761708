"""Schemathesis against a started accountd: any request that the OpenAPI document or the GraphQL schema allows, and
many that they do not, gets an answer that they allow.

What is asked is the same in every run, so that a failure comes again; the server listens on this machine alone.
"""

import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BINARY = os.path.abspath(os.environ.get("ACCOUNTD_BIN") or ROOT / "target" / "debug" / "accountd")
PASSWORD = "correct-horse-battery-7"
READY_WITHIN_SECONDS = 20


def main():
    with tempfile.TemporaryDirectory(prefix="accountd-judges-") as directory:
        settings = {name: value for name, value in os.environ.items() if not name.startswith("ACCOUNTD_")}
        # One address asks thousands of times here; limits are proven elsewhere.
        settings["ACCOUNTD_LIMITS__ENABLED"] = "false"
        port = free_port()
        with open(Path(directory) / "log", "w+") as log:
            serve = [BINARY, "serve", "--listen", f"127.0.0.1:{port}", "--data-dir", directory]
            server = subprocess.Popen(serve, env=settings, stdout=log, stderr=log)
            try:
                wait_until_ready(server, port)
                make_admin(directory, settings)
                failed = judge(port, directory)
            finally:
                server.terminate()
                server.wait()
            log.seek(0)
            faults = [line for line in log if "internal error" in line or "panicked" in line]
        sys.stdout.writelines(faults)
        sys.exit(1 if failed or faults else 0)


def judge(port, directory):
    """Runs all judges, each with an access token of its own; the names of those that found something."""
    url = f"http://127.0.0.1:{port}"
    document, graphql = str(ROOT / "openapi.json"), f"{url}/graphql"

    def token():
        return ["--header", f"Authorization: Bearer {sign_in(port)}"]

    runs = {
        "REST, signed out": [document, "--max-examples=30"],
        # A logout would sign out everything that comes after it.
        "REST, as an administrator": [document, *token(), "--max-examples=30", "--exclude-path-regex=(logout|register)$"],
        "logout": [document, *token(), "--max-examples=10", "--include-path=/logout"],
        "logout of later releases": [document, *token(), "--max-examples=10", "--include-path=/api/v1/auth/logout"],
        # A document cannot say which passwords are good, so not all that it allows is accepted.
        "register, as an administrator": [
            *[document, *token(), "--max-examples=30", "--include-path-regex=register$"],
            "--exclude-checks=positive_data_acceptance",
        ],
        # Two checks take every refusal for a fault; `refusals` in hooks.py holds them to the schema instead.
        "GraphQL, signed out": [
            *[graphql, "--max-examples=10"],
            "--exclude-checks=not_a_server_error,positive_data_acceptance",
        ],
        # For the same reason; and no logout here either.
        "GraphQL, as an administrator": [
            *[graphql, *token(), "--max-examples=20", "--exclude-name=Mutation.logout"],
            "--exclude-checks=not_a_server_error,positive_data_acceptance",
        ],
    }
    return [name for name, arguments in runs.items() if not is_content(name, url, arguments, directory)]


def is_content(name, url, arguments, directory):
    print(f"\n##### {name}", flush=True)
    program = str(Path(sys.executable).parent / "schemathesis")
    environment = dict(os.environ)
    if arguments[0].endswith("/graphql"):
        url = arguments[0]
        environment |= {"SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": str(Path(__file__).parent)}
    fixed = ["--url", url, "--checks=all", "--no-color", "--generation-deterministic"]
    return subprocess.run([program, "run", *arguments, *fixed], env=environment, cwd=directory).returncode == 0


def make_admin(directory, settings):
    command = [BINARY, "admin", "create", "root", "--password-stdin", "--data-dir", directory]
    subprocess.run(command, env=settings, input=PASSWORD, text=True, check=True)


def sign_in(port):
    status, answer = ask(port, "POST", "/login", {"username": "root", "password": PASSWORD})
    if status != 200:
        sys.exit(f"POST /login answered {status} {answer}")
    return answer["access_token"]


def ask(port, method, path, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
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


if __name__ == "__main__":
    main()
