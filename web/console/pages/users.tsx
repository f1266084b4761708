// Finding users: search, filters, order and pages stand in the address, so that they can be kept and come back.
import { useQuery } from '@apollo/client/react';
import { type UserFilter, type UserStatus, UsersDocument } from '../generated';
import { Page } from '../parts/page';
import { Empty, Failure, Loading } from '../parts/states';
import { refine, useRoute } from '../route';
import { useMay } from '../session';
import { orderOf } from './users/order';
import { Pager } from './users/pager';
import { Search } from './users/search';
import { UserTable } from './users/table';

const PAGE = 20;

export function UsersPage() {
  const { query } = useRoute();
  const may = useMay();
  const before = query.get('before');
  const page = before ? { last: PAGE, before } : { first: PAGE, after: query.get('after') };
  const { data, previousData, error, loading, refetch } = useQuery(UsersDocument, {
    variables: { ...page, filter: filterOf(query), orderBy: orderOf(query) },
    fetchPolicy: 'cache-and-network',
  });
  const users = (data ?? (loading ? previousData : undefined))?.users;

  /** What is asked anew begins at the first page. */
  const ask = (changes: Record<string, string>) => refine({ after: '', before: '', ...changes });

  const create = may('Mutation.createUser') && (
    <a className="button primary" href="#/users/new">
      New user
    </a>
  );
  return (
    <Page title="Users" actions={create}>
      <Search query={query} onAsk={ask} />
      {error && !users && <Failure error={error} onRetry={() => void refetch()} />}
      {!error && !users && <Loading what="the users" />}
      {users && (
        <div className="results" aria-busy={loading}>
          <p className="muted" role="status">
            {users.totalCount === 1 ? 'One user' : `${users.totalCount} users`}
          </p>
          {users.nodes.length === 0 && <Empty>Nobody is like that.</Empty>}
          {users.nodes.length > 0 && <UserTable users={users.nodes} order={orderOf(query)} onAsk={ask} />}
          <Pager info={users.pageInfo} onAsk={ask} />
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
