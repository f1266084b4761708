// Where one is signed in, and how to end that.
import { useQuery } from '@apollo/client/react';
import { useState } from 'react';
import { account, submit } from '../account';
import { MySessionsDocument, RevokeSessionDocument } from '../generated';
import { Action } from '../parts/button';
import { Devices, nameOf } from '../parts/device';
import { Check } from '../parts/field';
import { Page } from '../parts/page';
import { Failure, Loading } from '../parts/states';

const PAGE = 20;

export function SessionsPage() {
  const { data, error, refetch, fetchMore } = useQuery(MySessionsDocument, {
    variables: { first: PAGE },
    fetchPolicy: 'cache-and-network',
  });
  const sessions = data?.me?.sessions;
  const [revokeApiTokens, setRevokeApiTokens] = useState(false);

  async function end(sessionId: string) {
    const { errors } = await submit(RevokeSessionDocument, { sessionId });
    if (errors.length === 0) await refetch();
    return errors;
  }

  async function endOthers() {
    await account.logout('OTHERS', { revokeApiTokens });
    await refetch();
    return [];
  }

  const more = () =>
    fetchMore({
      variables: { after: sessions?.pageInfo.endCursor ?? null },
      updateQuery: (before, { fetchMoreResult: { me } }) => {
        if (!before.me || !me) return before;
        const nodes = [...before.me.sessions.nodes, ...me.sessions.nodes];
        return { ...before, me: { ...before.me, sessions: { ...me.sessions, nodes } } };
      },
    });

  const others = sessions && sessions.totalCount > 1 && (
    <>
      <Check
        label="Revoke all API tokens, too"
        checked={revokeApiTokens}
        onChange={(event) => setRevokeApiTokens(event.target.checked)}
      />
      <Action onAct={endOthers} question="Sign out everywhere but here?" kind="danger">
        End all others
      </Action>
    </>
  );
  return (
    <Page title="Sessions" lead="Every place where you are signed in." actions={others}>
      {error && !data && <Failure error={error} onRetry={() => void refetch()} />}
      {!error && !sessions && <Loading what="your sessions" />}
      {sessions && (
        <Devices
          of={sessions.nodes}
          action={(session) =>
            !session.current && (
              <Action onAct={() => end(session.id)} label={`End ${nameOf(session)}`}>
                End
              </Action>
            )
          }
        />
      )}
      {sessions?.pageInfo.hasNextPage && (
        <button type="button" className="button" onClick={() => void more()}>
          Show more
        </button>
      )}
    </Page>
  );
}
