// Users for the tests, created through the API.

export const PASSWORD = 'correct-horse-battery-7';

/** Sends one operation; returns its data. */
export async function request(url, query, variables, accessToken) {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(accessToken && { authorization: `Bearer ${accessToken}` }),
    },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await response.json();
  if (errors) throw new Error(errors[0].message);
  return data;
}

export async function register(url, username, more = {}) {
  const input = { username, password: PASSWORD, email: `${username}@example.org`, ...more };
  const { register } = await request(
    url,
    `mutation ($input: RegisterInput!) {
      register(input: $input) { user { id } tokens { accessToken } errors { code message } }
    }`,
    { input },
  );
  if (register.errors.length > 0) throw new Error(register.errors[0].message);
  return { id: register.user.id, accessToken: register.tokens.accessToken };
}
