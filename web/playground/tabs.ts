// What can be tried at once. The answers of the first three sign in here, as the box above does.

const password = 'correct-horse-battery-7';

interface Tab {
  query: string;
  variables?: object;
}

const tabs: Tab[] = [
  {
    query: `# Makes an account and signs in to it.
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
    query: `# Opens a session; its tokens are used by all tabs from then on.
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
    query: `# Renews the session. This page does it by itself when a token has expired;
# put the refreshToken of the last answer into the variables to see it.
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
    query: `# Who is signed in, and where; null for nobody.
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
    query: `# For those who hold the permission USERS_READ.
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
    query: `# Changes one's own password; the other sessions end.
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
    query: `# Ends this session; with the scope OTHERS or ALL, more.
mutation Logout($input: LogoutInput) {
  logout(input: $input) { ok revokedSessionCount }
}
`,
    variables: { input: { scope: 'CURRENT' } },
  },
];

export const readyTabs = tabs.map(({ query, variables }) => ({
  query,
  variables: variables ? JSON.stringify(variables, null, 2) : '',
  headers: '',
}));
