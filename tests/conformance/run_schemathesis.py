"""Runs Schemathesis against a started server: the responses to generated requests, both valid and invalid by the
OpenAPI document or the GraphQL schema, must conform to it.

Generation is deterministic, so a failure is reproducible; the server listens on the loopback interface only.
"""

import os
import subprocess
import sys
from pathlib import Path

from server import ROOT, login, running_server


def main():
    # One address sends thousands of requests here; other tests cover limits.
    with running_server(ACCOUNTD_LIMITS__ENABLED="false") as (port, directory):
        failed = run_all(port, directory)
    sys.exit(1 if failed else 0)


def run_all(port, directory):
    """Runs all suites, each with its own access token; returns the names of the failed ones."""
    url = f"http://127.0.0.1:{port}"
    document, graphql = str(ROOT / "openapi.json"), f"{url}/graphql"

    def token():
        return ["--header", f"Authorization: Bearer {login(port)}"]

    suites = {
        "REST, signed out": [document, "--max-examples=30"],
        # Logout has its own suites, because it would sign out all later requests.
        "REST, as an administrator": [document, *token(), "--max-examples=30", "--exclude-path-regex=(logout|register|create-api-token)$"],
        "logout": [document, *token(), "--max-examples=10", "--include-path=/logout"],
        "logout of later releases": [document, *token(), "--max-examples=10", "--include-path=/api/v1/auth/logout"],
        # OpenAPI cannot describe the password policy or the limit on tokens, so valid requests may be refused.
        "register and API tokens, as an administrator": [
            *[document, *token(), "--max-examples=30", "--include-path-regex=(register|create-api-token)$"],
            "--exclude-checks=positive_data_acceptance",
        ],
        # Two checks report every refusal as a failure; `documented_error_codes` in hooks.py replaces them.
        "GraphQL, signed out": [
            *[graphql, "--max-examples=10"],
            "--exclude-checks=not_a_server_error,positive_data_acceptance",
        ],
        # As above, and without logout.
        "GraphQL, as an administrator": [
            *[graphql, *token(), "--max-examples=20", "--exclude-name=Mutation.logout"],
            "--exclude-checks=not_a_server_error,positive_data_acceptance",
        ],
    }
    return [name for name, arguments in suites.items() if not passes(name, url, arguments, directory)]


def passes(name, url, arguments, directory):
    print(f"\n##### {name}", flush=True)
    program = str(Path(sys.executable).parent / "schemathesis")
    environment = dict(os.environ)
    if arguments[0].endswith("/graphql"):
        url = arguments[0]
        environment |= {"SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": str(Path(__file__).parent)}
    common = ["--url", url, "--checks=all", "--no-color", "--generation-deterministic"]
    return subprocess.run([program, "run", *arguments, *common], env=environment, cwd=directory).returncode == 0


if __name__ == "__main__":
    main()
