// What programs act with in one's own name.
import { useQuery } from '@apollo/client/react';
import { useState } from 'react';
import { submit } from '../account';
import { MyApiTokensDocument, RevokeApiTokenDocument, type TokenFragment, UpdateApiTokenDocument } from '../generated';
import { Action } from '../parts/button';
import { Page } from '../parts/page';
import { Empty, Failure, Loading } from '../parts/states';
import { Time } from '../parts/time';
import { NewToken } from './api-token-new';

export function ApiTokensPage() {
  const { data, error, refetch } = useQuery(MyApiTokensDocument, {
    variables: { first: 100 },
    fetchPolicy: 'cache-and-network',
  });
  const [isMaking, setMaking] = useState(false);
  const tokens = data?.me?.apiTokens.nodes;

  const make = !isMaking && (
    <button type="button" className="button primary" onClick={() => setMaking(true)}>
      New token
    </button>
  );
  return (
    <Page title="API tokens" lead="With a token a program acts in your name, as far as you let it." actions={make}>
      {isMaking && <NewToken onMade={() => void refetch()} onDone={() => setMaking(false)} />}
      {error && !data && <Failure error={error} onRetry={() => void refetch()} />}
      {!error && !tokens && <Loading what="your tokens" />}
      {tokens?.length === 0 && !isMaking && <Empty>No program has a token of yours.</Empty>}
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

function Row({ token, onRevoked }: { token: TokenFragment; onRevoked: () => void }) {
  const { id, name, note, permissions, scopes, enabled, expiresAt, lastUsedAt } = token;

  async function toggle() {
    return (await submit(UpdateApiTokenDocument, { apiTokenId: id, enabled: !enabled })).errors;
  }

  async function revoke() {
    const { errors } = await submit(RevokeApiTokenDocument, { apiTokenId: id });
    if (errors.length === 0) onRevoked();
    return errors;
  }

  const rights = permissions === null ? 'all that you may' : permissions.join(', ') || 'reads your account alone';
  return (
    <li>
      <div className="row-main">
        <strong>{name}</strong> {!enabled && <span className="badge">Off</span>}
        <p className="muted">
          {rights}
          {scopes.length > 0 && ` · ${scopes.join(', ')}`}
        </p>
        <p className="muted">
          used <Time at={lastUsedAt} /> · ends <Time at={expiresAt} />
        </p>
        {note && <p className="muted">{note}</p>}
      </div>
      <div className="row-action">
        <Action onAct={toggle} label={`${enabled ? 'Switch off' : 'Switch on'} ${name}`}>
          {enabled ? 'Switch off' : 'Switch on'}
        </Action>
        <Action onAct={revoke} question={`Revoke ${name} for good?`} kind="danger" label={`Revoke ${name}`}>
          Revoke
        </Action>
      </div>
    </li>
  );
}
