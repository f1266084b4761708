// A fetch that records requests and responses, and stops a client that loops.

const MAX_REQUESTS = 100;

export function makeRecorder() {
  const calls = [];

  async function recordingFetch(uri, options) {
    const { operationName } = JSON.parse(options.body);
    if (calls.length >= MAX_REQUESTS) {
      throw new Error(`the client loops: ${operationName} exceeds ${MAX_REQUESTS} requests`);
    }
    const headers = new Headers(options.headers);
    const call = {
      operationName,
      accept: headers.get('accept'),
      authorization: headers.get('authorization'),
    };
    calls.push(call);

    const response = await fetch(uri, options);
    call.status = response.status;
    call.mediaType = response.headers.get('content-type')?.split(';')[0];
    call.answer = await response.clone().json().catch(() => undefined);
    return response;
  }

  return {
    fetch: recordingFetch,
    calls,
    names: () => calls.map((call) => call.operationName),
    named: (operationName) => calls.filter((call) => call.operationName === operationName),
  };
}
