"""A check of our own for Schemathesis, where it asks for GraphQL."""

import json
import re
from pathlib import Path

import schemathesis

SDL = (Path(__file__).resolve().parents[2] / "schema.graphql").read_text()

# What client software handles; see the README.
REQUEST_ERRORS = {
    "BAD_USER_INPUT",
    "CSRF_REFUSED",
    "FORBIDDEN",
    "GRAPHQL_VALIDATION_FAILED",
    "ONE_CREDENTIAL_CHECK_PER_REQUEST",
    "OPERATION_TOO_COMPLEX",
    "PASSWORD_CHANGE_REQUIRED",
    "UNAUTHENTICATED",
}

# What a person can fix; raised where the operation does not select `errors`.
ACCOUNT_ERRORS = set(re.findall(r"^  ([A-Z_]+)$", SDL.split("enum AccountErrorCode {")[1].split("}")[0], re.MULTILINE))


@schemathesis.check
def refusals(_context, response, _case):
    """Every error of a GraphQL answer has a code that clients know, and none is the server's own fault."""
    assert response.status_code in (200, 400, 401), f"status {response.status_code}"
    for error in json.loads(response.content).get("errors", []):
        code = error["extensions"]["code"]
        assert code in REQUEST_ERRORS | ACCOUNT_ERRORS, f"{code}: {error['message']}"
