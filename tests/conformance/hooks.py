"""A custom check for the GraphQL runs of Schemathesis."""

import json
import re
from pathlib import Path

import schemathesis

SDL = (Path(__file__).resolve().parents[2] / "schema.graphql").read_text()

# Codes that client software handles; docs/errors.md describes them.
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

# Codes that the user can correct; raised where the operation does not select `errors`.
ACCOUNT_ERRORS = set(re.findall(r"^  ([A-Z_]+)$", SDL.split("enum AccountErrorCode {")[1].split("}")[0], re.MULTILINE))


@schemathesis.check
def documented_error_codes(_context, response, _case):
    """Every error of a GraphQL response has a documented code, and none is a server error."""
    assert response.status_code in (200, 400, 401), f"status {response.status_code}"
    for error in json.loads(response.content).get("errors", []):
        code = error["extensions"]["code"]
        assert code in REQUEST_ERRORS | ACCOUNT_ERRORS, f"{code}: {error['message']}"
