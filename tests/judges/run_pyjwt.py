"""Services verify with PyJWT as its documentation shows: of all kinds of tokens they accept access tokens alone."""

import json
import sys
from urllib.request import urlopen

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
    _, session = ask(port, "POST", "/api/users/login", {"email": "root", "password": PASSWORD})
    with urlopen(f"{url}/.well-known/revocations") as answer:
        revocations = answer.read().decode()
    tokens = [login["tokens"]["accessToken"], login["tokens"]["refreshToken"], login["deviceToken"], session["token"]]
    found = [(jwt.get_unverified_header(token)["typ"], token) for token in [*tokens, revocations]]
    expected = ["at+jwt", "rt+jwt", "dt+jwt", "st+jwt", "revocations+jwt"]
    if [kind for kind, _ in found] != expected:
        sys.exit(f"not one of each kind: {[kind for kind, _ in found]}")
    return found


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
