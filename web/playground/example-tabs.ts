// Example operations. The first three sign in to the playground, because the client stores tokens from responses.

const password = 'correct-horse-battery-7';

interface Tab {
  query: string;
  variables?: object;
}

const tabs: Tab[] = [
  {
    query: `# Creates a user and signs in.
mutation Register($input: RegisterInput!) {
  register(input: $input) {
    status
    user { id username }
    tokens { accessToken refreshToken expiresIn }
    errors { code message path violations }
  }
}
`,
    variables: { input: { username: 'ann', password } },
  },
  {
    query: `# Opens a session. All tabs then use its tokens.
mutation Login($input: LoginInput!) {
  login(input: $input) {
    user { id username }
    tokens { accessToken refreshToken expiresIn }
    session { id expiresAt }
    errors { code message path retryAfter }
  }
}
`,
    variables: { input: { username: 'ann', password } },
  },
  {
    query: `# Refreshes the session. This page does so automatically when a token expires.
# To try it, put the refreshToken of the last response into the variables.
mutation Refresh($input: RefreshInput) {
  refresh(input: $input) {
    outcome
    tokens { accessToken refreshToken expiresIn }
    errors { code message }
  }
}
`,
    variables: { input: { refreshToken: '' } },
  },
  {
    query: `# The current user and their sessions; null when signed out.
query Me {
  me {
    id
    username
    roles
    permissions
    sessions { totalCount nodes { id current userAgent ip lastSeenAt } }
  }
}
`,
  },
  {
    query: `# Requires the permission USERS_READ.
query Users($first: Int, $after: String, $filter: UserFilter) {
  users(first: $first, after: $after, filter: $filter) {
    totalCount
    nodes { id username email status roles lastSignInAt }
    pageInfo { hasNextPage endCursor }
  }
}
`,
    variables: { first: 20, filter: { search: '' } },
  },
  {
    query: `# Changes your password and ends your other sessions.
mutation UpdatePassword($input: UpdatePasswordInput!) {
  updatePassword(input: $input) {
    tokens { accessToken refreshToken expiresIn }
    revokedSessionCount
    errors { code message path violations }
  }
}
`,
    variables: { input: { currentPassword: password, newPassword: '' } },
  },
  {
    query: `# Ends this session; the scopes OTHERS and ALL end more.
mutation Logout($input: LogoutInput) {
  logout(input: $input) { ok revokedSessionCount }
}
`,
    variables: { input: { scope: 'CURRENT' } },
  },
];

export const exampleTabs = tabs.map(({ query, variables }) => ({
  query,
  variables: variables ? JSON.stringify(variables, null, 2) : '',
  headers: '',
}));
