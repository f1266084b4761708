// Search field and filters of the user list. Typing is debounced.
import { useQuery } from '@apollo/client/react';
import { useEffect, useRef, useState } from 'react';
import { RolesDocument } from '../../generated';
import { useCan } from '../../session';

const DEBOUNCE_MS = 250;

interface Props {
  query: URLSearchParams;
  onQueryChange(changes: Record<string, string>): void;
}

export function Search({ query, onQueryChange }: Props) {
  const can = useCan();
  const current = query.get('search') ?? '';
  const [text, setText] = useState(current);
  const submitted = useRef(current);
  const { data } = useQuery(RolesDocument, { skip: !can('Query.roles') });

  useEffect(() => {
    if (text === current) return;
    const timer = setTimeout(() => {
      submitted.current = text;
      onQueryChange({ search: text });
    }, DEBOUNCE_MS);
    return () => clearTimeout(timer);
  }, [text]);

  // A link can also change the URL.
  useEffect(() => {
    if (current !== submitted.current) setText(current);
    submitted.current = current;
  }, [current]);

  return (
    <search className="filters">
      <input
        type="search"
        aria-label="Search by name or e-mail address"
        placeholder="Name or e-mail address"
        maxLength={64}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
      />
      <select
        aria-label="Status"
        value={query.get('status') ?? ''}
        onChange={(event) => onQueryChange({ status: event.currentTarget.value })}
      >
        <option value="">Any status</option>
        <option value="ACTIVE">Active</option>
        <option value="DISABLED">Disabled</option>
      </select>
      {data && (
        <select
          aria-label="Role"
          value={query.get('role') ?? ''}
          onChange={(event) => onQueryChange({ role: event.currentTarget.value })}
        >
          <option value="">Any role</option>
          {data.roles.map(({ id, name }) => (
            <option key={id}>{name}</option>
          ))}
        </select>
      )}
    </search>
  );
}
