// The user's own sessions.
import { useQuery } from '@apollo/client/react';
import { useState } from 'react';
import { account, submit } from '../account';
import { Action } from '../components/button';
import { Check } from '../components/field';
import { Page } from '../components/page';
import { SessionList, sessionLabel } from '../components/session-list';
import { ErrorMessage, Loading } from '../components/states';
import { MySessionsDocument, RevokeSessionDocument } from '../generated';

const PAGE_SIZE = 20;

export function SessionsPage() {
  const { data, error, refetch, fetchMore } = useQuery(MySessionsDocument, {
    variables: { first: PAGE_SIZE },
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

  const loadMore = () =>
    fetchMore({
      variables: { after: sessions?.pageInfo.endCursor ?? null },
      updateQuery: (before, { fetchMoreResult: { me } }) => {
        if (!before.me || !me) return before;
        const nodes = [...before.me.sessions.nodes, ...me.sessions.nodes];
        return { ...before, me: { ...before.me, sessions: { ...me.sessions, nodes } } };
      },
    });

  const endOthersAction = sessions && sessions.totalCount > 1 && (
    <>
      <Check
        label="Also revoke all API tokens"
        checked={revokeApiTokens}
        onChange={(event) => setRevokeApiTokens(event.target.checked)}
      />
      <Action onAction={endOthers} confirmation="End all other sessions?" kind="danger">
        End all others
      </Action>
    </>
  );
  return (
    <Page title="Sessions" lead="All devices where you are signed in." actions={endOthersAction}>
      {error && !data && <ErrorMessage error={error} onRetry={() => void refetch()} />}
      {!error && !sessions && <Loading what="your sessions" />}
      {sessions && (
        <SessionList
          sessions={sessions.nodes}
          action={(session) =>
            !session.current && (
              <Action onAction={() => end(session.id)} label={`End ${sessionLabel(session)}`}>
                End
              </Action>
            )
          }
        />
      )}
      {sessions?.pageInfo.hasNextPage && (
        <button type="button" className="button" onClick={() => void loadMore()}>
          Show more
        </button>
      )}
    </Page>
  );
}
