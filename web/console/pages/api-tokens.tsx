// The user's API tokens.
import { useQuery } from '@apollo/client/react';
import { useState } from 'react';
import { submit } from '../account';
import { Action } from '../components/button';
import { Page } from '../components/page';
import { Empty, ErrorMessage, Loading } from '../components/states';
import { Time } from '../components/time';
import {
  type ApiTokenRowFragment,
  MyApiTokensDocument,
  RevokeApiTokenDocument,
  UpdateApiTokenDocument,
} from '../generated';
import { NewToken } from './api-token-new';

export function ApiTokensPage() {
  const { data, error, refetch } = useQuery(MyApiTokensDocument, {
    variables: { first: 100 },
    fetchPolicy: 'cache-and-network',
  });
  const [isCreating, setCreating] = useState(false);
  const tokens = data?.me?.apiTokens.nodes;

  const createButton = !isCreating && (
    <button type="button" className="button primary" onClick={() => setCreating(true)}>
      New token
    </button>
  );
  return (
    <Page title="API tokens" lead="Programs use a token to act as you, within its permissions." actions={createButton}>
      {isCreating && <NewToken onCreated={() => void refetch()} onDone={() => setCreating(false)} />}
      {error && !data && <ErrorMessage error={error} onRetry={() => void refetch()} />}
      {!error && !tokens && <Loading what="your tokens" />}
      {tokens?.length === 0 && !isCreating && <Empty>You have no API tokens.</Empty>}
      {tokens && tokens.length > 0 && (
        <ul className="rows">
          {tokens.map((token) => (
            <Row key={token.id} token={token} onRevoked={() => void refetch()} />
          ))}
        </ul>
      )}
    </Page>
  );
}

function Row({ token, onRevoked }: { token: ApiTokenRowFragment; onRevoked: () => void }) {
  const { id, name, note, permissions, scopes, enabled, expiresAt, lastUsedAt } = token;

  async function toggle() {
    return (await submit(UpdateApiTokenDocument, { apiTokenId: id, enabled: !enabled })).errors;
  }

  async function revoke() {
    const { errors } = await submit(RevokeApiTokenDocument, { apiTokenId: id });
    if (errors.length === 0) onRevoked();
    return errors;
  }

  const granted = permissions === null ? 'all your permissions' : permissions.join(', ') || 'reads only your account';
  return (
    <li>
      <div className="row-main">
        <strong>{name}</strong> {!enabled && <span className="badge">Disabled</span>}
        <p className="muted">
          {granted}
          {scopes.length > 0 && ` · ${scopes.join(', ')}`}
        </p>
        <p className="muted">
          used <Time at={lastUsedAt} /> · expires <Time at={expiresAt} />
        </p>
        {note && <p className="muted">{note}</p>}
      </div>
      <div className="row-action">
        <Action onAction={toggle} label={`${enabled ? 'Disable' : 'Enable'} ${name}`}>
          {enabled ? 'Disable' : 'Enable'}
        </Action>
        <Action onAction={revoke} confirmation={`Revoke ${name} permanently?`} kind="danger" label={`Revoke ${name}`}>
          Revoke
        </Action>
      </div>
    </li>
  );
}
