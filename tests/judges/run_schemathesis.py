"""Schemathesis against a started accountd: any request that the OpenAPI document or the GraphQL schema allows, and
many that they do not, gets an answer that they allow.

What is asked is the same in every run, so that a failure comes again; the server listens on this machine alone.
"""

import os
import subprocess
import sys
from pathlib import Path

from server import ROOT, sign_in, started


def main():
    # One address asks thousands of times here; limits are proven elsewhere.
    with started(ACCOUNTD_LIMITS__ENABLED="false") as (port, directory):
        failed = judge(port, directory)
    sys.exit(1 if failed else 0)


def judge(port, directory):
    """Runs all judges, each with an access token of its own; the names of those that found something."""
    url = f"http://127.0.0.1:{port}"
    document, graphql = str(ROOT / "openapi.json"), f"{url}/graphql"

    def token():
        return ["--header", f"Authorization: Bearer {sign_in(port)}"]

    runs = {
        "REST, signed out": [document, "--max-examples=30"],
        # A logout would sign out everything that comes after it.
        "REST, as an administrator": [document, *token(), "--max-examples=30", "--exclude-path-regex=(logout|register|create-api-token)$"],
        "logout": [document, *token(), "--max-examples=10", "--include-path=/logout"],
        "logout of later releases": [document, *token(), "--max-examples=10", "--include-path=/api/v1/auth/logout"],
        # A document cannot say which passwords are good or how many tokens one has, so not all that it allows is accepted.
        "register and API tokens, as an administrator": [
            *[document, *token(), "--max-examples=30", "--include-path-regex=(register|create-api-token)$"],
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


if __name__ == "__main__":
    main()
