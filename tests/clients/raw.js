// Asks by plain fetch, for what a test must see without a client in between.
import { setTimeout as sleep } from 'node:timers/promises';

/** Waits until the server refuses the access token; answers the `extensions` of the refusal. */
export async function refused(uri, accessToken, withinMs) {
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
  throw new Error(`the access token was still good after ${withinMs} ms`);
}
