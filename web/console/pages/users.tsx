// User list. Search, filters, order and page are in the URL, so that it can be bookmarked and reloaded.
import { useQuery } from '@apollo/client/react';
import { Page } from '../components/page';
import { Empty, ErrorMessage, Loading } from '../components/states';
import { type UserFilter, type UserStatus, UsersDocument } from '../generated';
import { updateSearchParams, useRoute } from '../route';
import { useCan } from '../session';
import { parseOrder } from './users/order';
import { Pager } from './users/pager';
import { Search } from './users/search';
import { UserTable } from './users/table';

const PAGE_SIZE = 20;

export function UsersPage() {
  const { query } = useRoute();
  const can = useCan();
  const before = query.get('before');
  const page = before ? { last: PAGE_SIZE, before } : { first: PAGE_SIZE, after: query.get('after') };
  const { data, previousData, error, loading, refetch } = useQuery(UsersDocument, {
    variables: { ...page, filter: filterOf(query), orderBy: parseOrder(query) },
    fetchPolicy: 'cache-and-network',
  });
  const users = (data ?? (loading ? previousData : undefined))?.users;

  /** A changed query starts at the first page. */
  const changeQuery = (changes: Record<string, string>) => updateSearchParams({ after: '', before: '', ...changes });

  const create = can('Mutation.createUser') && (
    <a className="button primary" href="#/users/new">
      New user
    </a>
  );
  return (
    <Page title="Users" actions={create}>
      <Search query={query} onQueryChange={changeQuery} />
      {error && !users && <ErrorMessage error={error} onRetry={() => void refetch()} />}
      {!error && !users && <Loading what="the users" />}
      {users && (
        <div className="results" aria-busy={loading}>
          <p className="muted" role="status">
            {users.totalCount === 1 ? 'One user' : `${users.totalCount} users`}
          </p>
          {users.nodes.length === 0 && <Empty>No matching users.</Empty>}
          {users.nodes.length > 0 && (
            <UserTable users={users.nodes} order={parseOrder(query)} onQueryChange={changeQuery} />
          )}
          <Pager info={users.pageInfo} onQueryChange={changeQuery} />
        </div>
      )}
    </Page>
  );
}

function filterOf(query: URLSearchParams): UserFilter {
  const [search, role, status] = ['search', 'role', 'status'].map((name) => query.get(name));
  return {
    ...(search && { search: search.slice(0, 64) }),
    ...(role && { role }),
    ...(status && { status: status as UserStatus }),
  };
}
