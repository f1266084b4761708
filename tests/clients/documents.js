// GraphQL operations of the tests, as an application would write them.
import { parse } from 'graphql';

const tokens = 'tokens { accessToken tokenType expiresIn refreshToken }';
const errors = 'errors { code message path }';

export const ME = parse('query Me { me { id username } }');

/** A query with its own name: clients deduplicate equal queries in flight. */
export const meNamed = (name) => parse(`query ${name} { me { id username } }`);

export const USERS = parse(`
  query Users($first: Int, $after: String) {
    users(first: $first, after: $after) {
      nodes { id username }
      pageInfo { hasNextPage endCursor }
      totalCount
    }
  }
`);

export const REGISTER = parse(`
  mutation Register($input: RegisterInput!) {
    register(input: $input) { status user { id username } ${tokens} ${errors} }
  }
`);

export const LOGIN = parse(`
  mutation Login($input: LoginInput!) {
    login(input: $input) { user { id username } ${tokens} session { id } ${errors} }
  }
`);

export const LOGIN_WITHOUT_ERRORS = parse(`
  mutation LoginWithoutErrors($input: LoginInput!) {
    login(input: $input) { user { id username } ${tokens} }
  }
`);

export const REFRESH = parse(`
  mutation Refresh($input: RefreshInput) {
    refresh(input: $input) { outcome ${tokens} ${errors} }
  }
`);

export const UPDATE_PASSWORD = parse(`
  mutation UpdatePassword($input: UpdatePasswordInput!) {
    updatePassword(input: $input) { ${tokens} revokedSessionCount ${errors} }
  }
`);

export const LOGOUT = parse(`
  mutation Logout($input: LogoutInput) {
    logout(input: $input) { ok revokedSessionCount ${errors} }
  }
`);
