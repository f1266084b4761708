// What users are looked for by; it asks while somebody types, but not for every letter.
import { useQuery } from '@apollo/client/react';
import { useEffect, useRef, useState } from 'react';
import { RolesDocument } from '../../generated';
import { useMay } from '../../session';

const PAUSE_MS = 250;

interface Props {
  query: URLSearchParams;
  onAsk(changes: Record<string, string>): void;
}

export function Search({ query, onAsk }: Props) {
  const may = useMay();
  const asked = query.get('search') ?? '';
  const [text, setText] = useState(asked);
  const sent = useRef(asked);
  const { data } = useQuery(RolesDocument, { skip: !may('Query.roles') });

  useEffect(() => {
    if (text === asked) return;
    const timer = setTimeout(() => {
      sent.current = text;
      onAsk({ search: text });
    }, PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text]);

  // The address may change by other ways than this, such as a link.
  useEffect(() => {
    if (asked !== sent.current) setText(asked);
    sent.current = asked;
  }, [asked]);

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
        onChange={(event) => onAsk({ status: event.currentTarget.value })}
      >
        <option value="">Any status</option>
        <option value="ACTIVE">Active</option>
        <option value="DISABLED">Disabled</option>
      </select>
      {data && (
        <select
          aria-label="Role"
          value={query.get('role') ?? ''}
          onChange={(event) => onAsk({ role: event.currentTarget.value })}
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
