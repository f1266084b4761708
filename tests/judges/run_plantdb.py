"""PlantDB's own client against a started accountd: what applications of PlantDB do, in the release that runs this."""

import logging
import sys
from importlib.metadata import version

from plantdb.client.plantdb_client import PlantDBClient
from plantdb.commons.auth.models import Permission

from server import PASSWORD, started

RELEASE = tuple(int(part) for part in version("plantdb.client").split(".")[:2])
MADE = {"username": "batman", "password": "JokerInArkham-1939", "fullname": "Bruce Wayne"}


def main():
    # The client logs what it is refused, and some of it has to be.
    logging.disable(logging.CRITICAL)
    with started(ACCOUNTD_REST__DIALECTS__PLANTDB="/,/plants") as (port, _):
        url = f"http://127.0.0.1:{port}"
        works(url)
        if RELEASE >= (0, 16):
            # Earlier releases find nothing below a path.
            signed_in(f"{url}/plants", "root", PASSWORD)
    print(f"plantdb.client {version('plantdb.client')} works")


def works(url):
    client = signed_in(url, "root", PASSWORD)
    check("a wrong password is refused", not PlantDBClient(url).login("nobody", PASSWORD))
    check("the access token is valid", client.validate_token(client._access_token))

    before = (client._access_token, client._refresh_token)
    check("tokens can be refreshed", client.refresh_token())
    check("both are new", client._access_token != before[0] and client._refresh_token != before[1])
    check("the new one is valid", client.validate_token(client._access_token))

    client._session.headers["Authorization"] = f"Bearer {before[0]}"
    token = client.create_api_token(3600, {"ds_*": (Permission.READ, Permission.WRITE), "other": Permission.CREATE})
    check("an API token is made, after a refresh by itself", token and client._access_token != before[0])
    check("an API token opens a client", PlantDBClient(url, api_token=token)._api_token == token)
    check("another text does not", raises(ValueError, lambda: PlantDBClient(url, api_token=token[:-1] + "~")))
    if sys.version_info >= (3, 12):
        # Before that, Python itself does not take a text for a member of an enumeration.
        check("permissions can be texts", client.create_api_token(60, {"ds_*": "read"}))

    makes_a_user(url, client)

    old = client._access_token
    check("a session can be ended", client.logout())
    check("its token is not valid any more", not client.validate_token(old))


def makes_a_user(url, client):
    if RELEASE >= (0, 16):
        check("a user is made", client.create_user(**MADE))
        check("a name is taken once", not client.create_user(**MADE))
    else:
        # This release's method raises before it sends anything; what it means to send goes by its own session.
        check("the method raises", raises(AttributeError, lambda: client.create_user(**MADE)))
        check("a user is made", client._request("POST", f"{url}/register", json=MADE).status_code == 201)
    reader = signed_in(url, MADE["username"], MADE["password"])
    check("the user makes no other", not may_make_users(url, reader))


def may_make_users(url, client):
    another = MADE | {"username": "robin"}
    if RELEASE >= (0, 16):
        return client.create_user(**another)
    return client._request("POST", f"{url}/register", json=another).ok


def signed_in(url, name, password):
    client = PlantDBClient(url)
    check(f"{name} signs in at {url}", client.login(name, password))
    return client


def raises(kind, call):
    try:
        call()
    except kind:
        return True
    return False


def check(what, holds):
    if not holds:
        sys.exit(f"plantdb.client {version('plantdb.client')}: not so: {what}")


if __name__ == "__main__":
    main()
