"""Services verify with PyJWT as in its documentation: of all token types, only access tokens pass."""

import json
import sys
from base64 import b64decode
from http.cookies import SimpleCookie
from urllib.parse import unquote
from urllib.request import Request, urlopen

import jwt

from server import PASSWORD, running_server, send


def main():
    with running_server(ACCOUNTD_REST__DIALECTS__USER_API="/api") as (port, _):
        url = f"http://127.0.0.1:{port}"
        with urlopen(f"{url}/.well-known/jwks.json") as response:
            keys = jwt.PyJWKSet.from_dict(json.load(response))
        tokens = tokens_by_type(port, url)
        misjudged = [token_type for token_type, token in tokens if accepts(keys, token) != (token_type == "at+jwt")]
    if misjudged:
        sys.exit(f"PyJWT {jwt.__version__} does not distinguish these types from access tokens: {misjudged}")
    print(f"PyJWT {jwt.__version__} accepts only access tokens")


def tokens_by_type(port, url):
    login = f"""mutation {{ login(input: {{ username: "root", password: "{PASSWORD}" }}) {{
        tokens {{ accessToken refreshToken }} deviceToken }} }}"""
    _, response = send(port, "POST", "/graphql", {"query": login})
    login = response["data"]["login"]
    session = session_token(url)
    with urlopen(f"{url}/.well-known/revocations") as response:
        revocations = response.read().decode()
    tokens = [login["tokens"]["accessToken"], login["tokens"]["refreshToken"], login["deviceToken"], session]
    tokens_with_type = [(jwt.get_unverified_header(token)["typ"], token) for token in [*tokens, revocations]]
    expected = ["at+jwt", "rt+jwt", "dt+jwt", "st+jwt", "revocations+jwt"]
    if [token_type for token_type, _ in tokens_with_type] != expected:
        sys.exit(f"expected one token of each type, got: {[token_type for token_type, _ in tokens_with_type]}")
    return tokens_with_type


def session_token(url):
    """user-api returns its session as a cookie, in base64."""
    body = json.dumps({"email": "root", "password": PASSWORD}).encode()
    request = Request(f"{url}/api/users/login", body, {"Content-Type": "application/json"})
    with urlopen(request) as response:
        [morsel] = SimpleCookie(response.headers["Set-Cookie"]).values()
    return b64decode(unquote(morsel.value)).decode()


def accepts(keys, token):
    """Verifies signature, `iss`, `aud`, `exp`, `iat` and the presence of `sub`, but not `typ`."""
    key = keys[jwt.get_unverified_header(token)["kid"]].key
    options = {"require": ["exp", "sub"]}
    try:
        jwt.decode(token, key, algorithms=["EdDSA"], audience="accountd", issuer="accountd", leeway=5, options=options)
        return True
    except jwt.InvalidTokenError:
        return False


if __name__ == "__main__":
    main()
