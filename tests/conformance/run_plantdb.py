"""Tests a started server with the installed release of PlantDB's own client, as applications of PlantDB use it."""

import logging
import sys
from importlib.metadata import version

from plantdb.client.plantdb_client import PlantDBClient
from plantdb.commons.auth.models import Permission

from server import PASSWORD, running_server

RELEASE = tuple(int(part) for part in version("plantdb.client").split(".")[:2])
NEW_USER = {"username": "batman", "password": "JokerInArkham-1939", "fullname": "Bruce Wayne"}


def main():
    # The client logs refusals, and some of them are expected here.
    logging.disable(logging.CRITICAL)
    with running_server(ACCOUNTD_REST__DIALECTS__PLANTDB="/,/plants") as (port, _):
        url = f"http://127.0.0.1:{port}"
        check_client(url)
        if RELEASE >= (0, 16):
            # Earlier releases do not support a path prefix.
            logged_in_client(f"{url}/plants", "root", PASSWORD)
    print(f"plantdb.client {version('plantdb.client')} works")


def check_client(url):
    client = logged_in_client(url, "root", PASSWORD)
    check("a wrong password is refused", not PlantDBClient(url).login("unknown", PASSWORD))
    check("the access token is valid", client.validate_token(client._access_token))

    before = (client._access_token, client._refresh_token)
    check("tokens can be refreshed", client.refresh_token())
    check("both tokens are new", client._access_token != before[0] and client._refresh_token != before[1])
    check("the new token is valid", client.validate_token(client._access_token))

    client._session.headers["Authorization"] = f"Bearer {before[0]}"
    token = client.create_api_token(3600, {"ds_*": (Permission.READ, Permission.WRITE), "other": Permission.CREATE})
    check("an API token is created after an automatic refresh", token and client._access_token != before[0])
    check("a client accepts an API token", PlantDBClient(url, api_token=token)._api_token == token)
    invalid = token[:-1] + "~"
    check("a client rejects an invalid API token", raises(ValueError, lambda: PlantDBClient(url, api_token=invalid)))
    if sys.version_info >= (3, 12):
        # Earlier, Python itself does not accept a string as a member of an enumeration.
        check("permissions can be strings", client.create_api_token(60, {"ds_*": "read"}))

    check_user_creation(url, client)

    old = client._access_token
    check("a session can be ended", client.logout())
    check("its token is invalid afterwards", not client.validate_token(old))


def check_user_creation(url, client):
    if RELEASE >= (0, 16):
        check("a user is created", client.create_user(**NEW_USER))
        check("a taken name is refused", not client.create_user(**NEW_USER))
    else:
        # This release's method raises before it sends its request, so the request is sent through its session.
        check("the method raises", raises(AttributeError, lambda: client.create_user(**NEW_USER)))
        check("a user is created", client._request("POST", f"{url}/register", json=NEW_USER).status_code == 201)
    reader = logged_in_client(url, NEW_USER["username"], NEW_USER["password"])
    check("the user cannot create another", not can_create_users(url, reader))


def can_create_users(url, client):
    another = NEW_USER | {"username": "robin"}
    if RELEASE >= (0, 16):
        return client.create_user(**another)
    return client._request("POST", f"{url}/register", json=another).ok


def logged_in_client(url, name, password):
    client = PlantDBClient(url)
    check(f"{name} signs in at {url}", client.login(name, password))
    return client


def raises(exception, call):
    try:
        call()
    except exception:
        return True
    return False


def check(description, passed):
    if not passed:
        sys.exit(f"plantdb.client {version('plantdb.client')}: failed: {description}")


if __name__ == "__main__":
    main()
