"""Services verify with PyJWT as its documentation shows: of all kinds of tokens they accept access tokens alone."""

import json
import sys
from base64 import b64decode
from http.cookies import SimpleCookie
from urllib.parse import unquote
from urllib.request import Request, urlopen

import jwt

from server import PASSWORD, ask, started


def main():
    with started(ACCOUNTD_REST__DIALECTS__USER_API="/api") as (port, _):
        url = f"http://127.0.0.1:{port}"
        with urlopen(f"{url}/.well-known/jwks.json") as answer:
            keys = jwt.PyJWKSet.from_dict(json.load(answer))
        wrong = [kind for kind, token in kinds(port, url) if accepts(keys, token) != (kind == "at+jwt")]
    if wrong:
        sys.exit(f"PyJWT {jwt.__version__} tells these kinds of tokens from access tokens no more: {wrong}")
    print(f"PyJWT {jwt.__version__} accepts access tokens alone")


def kinds(port, url):
    login = f"""mutation {{ login(input: {{ username: "root", password: "{PASSWORD}" }}) {{
        tokens {{ accessToken refreshToken }} deviceToken }} }}"""
    _, answer = ask(port, "POST", "/graphql", {"query": login})
    login = answer["data"]["login"]
    session = session_token(url)
    with urlopen(f"{url}/.well-known/revocations") as answer:
        revocations = answer.read().decode()
    tokens = [login["tokens"]["accessToken"], login["tokens"]["refreshToken"], login["deviceToken"], session]
    found = [(jwt.get_unverified_header(token)["typ"], token) for token in [*tokens, revocations]]
    expected = ["at+jwt", "rt+jwt", "dt+jwt", "st+jwt", "revocations+jwt"]
    if [kind for kind, _ in found] != expected:
        sys.exit(f"not one of each kind: {[kind for kind, _ in found]}")
    return found


def session_token(url):
    """user-api hands its session out as a cookie, in base64."""
    body = json.dumps({"email": "root", "password": PASSWORD}).encode()
    request = Request(f"{url}/api/users/login", body, {"Content-Type": "application/json"})
    with urlopen(request) as answer:
        [morsel] = SimpleCookie(answer.headers["Set-Cookie"]).values()
    return b64decode(unquote(morsel.value)).decode()


def accepts(keys, token):
    """By signature, `iss`, `aud`, `exp`, `iat` and the presence of `sub`; nobody looks at `typ`."""
    key = keys[jwt.get_unverified_header(token)["kid"]].key
    options = {"require": ["exp", "sub"]}
    try:
        jwt.decode(token, key, algorithms=["EdDSA"], audience="accountd", issuer="accountd", leeway=5, options=options)
        return True
    except jwt.InvalidTokenError:
        return False


if __name__ == "__main__":
    main()
