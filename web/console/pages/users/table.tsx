// Table of users; on narrow screens each row is a card.

import { Badge } from '../../components/badge';
import { Time } from '../../components/time';
import type { UserOrder, UserRowFragment } from '../../generated';
import { columns, nextOrder } from './order';

interface Props {
  users: UserRowFragment[];
  order: UserOrder;
  onQueryChange(changes: Record<string, string>): void;
}

export function UserTable({ users, order, onQueryChange }: Props) {
  const [username, email, lastSignIn, created] = columns.map(({ field, label }) => {
    const isSorted = order.field === field;
    const sort = order.direction === 'ASC' ? 'ascending' : 'descending';
    return (
      <th key={field} scope="col" aria-sort={isSorted ? sort : undefined}>
        <button type="button" onClick={() => onQueryChange({ sort: nextOrder(order, field) })}>
          {label}
          <span aria-hidden="true">{isSorted && (order.direction === 'ASC' ? ' ↑' : ' ↓')}</span>
        </button>
      </th>
    );
  });
  return (
    <table className="users">
      <thead>
        <tr>
          {username}
          {email}
          <th scope="col">Roles</th>
          <th scope="col">Status</th>
          {lastSignIn}
          {created}
        </tr>
      </thead>
      <tbody>
        {users.map((user) => (
          <tr key={user.id}>
            <th scope="row">
              <a href={`#/users/${user.id}`}>{user.username}</a>
              {user.displayName && <span className="muted">{user.displayName}</span>}
            </th>
            <td data-label="E-mail">{user.email ?? <span className="muted">none</span>}</td>
            <td data-label="Roles">{user.roles.join(', ') || <span className="muted">none</span>}</td>
            <td data-label="Status">
              <Badge status={user.status} />
            </td>
            <td data-label="Last sign-in">
              <Time at={user.lastSignInAt} />
            </td>
            <td data-label="Created">
              <Time at={user.createdAt} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
