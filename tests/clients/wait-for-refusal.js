// Plain fetch, for tests that need the response without a client's recovery.
import { setTimeout as sleep } from 'node:timers/promises';

/** Waits until the server refuses the access token; returns the `extensions` of the refusal. */
export async function waitForRefusal(uri, accessToken, withinMs) {
  const request = {
    method: 'POST',
    headers: {
      accept: 'application/json',
      authorization: `Bearer ${accessToken}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify({ query: '{ me { id } }' }),
  };
  const deadline = Date.now() + withinMs;
  while (Date.now() < deadline) {
    const response = await fetch(uri, request);
    const { errors } = await response.json();
    if (errors) return errors[0].extensions;
    await sleep(250);
  }
  throw new Error(`the access token was still valid after ${withinMs} ms`);
}
