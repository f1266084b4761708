// A user's sessions.
import { useQuery } from '@apollo/client/react';
import { submit } from '../../account';
import { Action } from '../../components/button';
import { SessionList, sessionLabel } from '../../components/session-list';
import { Empty, ErrorMessage, Loading } from '../../components/states';
import { RevokeSessionDocument, UserSessionsDocument } from '../../generated';
import { useCan } from '../../session';

export function UserSessions({ userId }: { userId: string }) {
  const can = useCan();
  const { data, error, refetch } = useQuery(UserSessionsDocument, {
    variables: { id: userId, first: 100 },
    fetchPolicy: 'cache-and-network',
  });
  const sessions = data?.user?.sessions.nodes;

  /** Ends them one by one, because the server authorizes each revocation separately. */
  async function end(ids: string[]) {
    for (const sessionId of ids) {
      const { errors } = await submit(RevokeSessionDocument, { sessionId });
      // The session may have ended in the meantime.
      if (errors.some(({ code }) => code !== 'NOT_FOUND')) return errors;
    }
    await refetch();
    return [];
  }

  if (error && !data) return <ErrorMessage error={error} onRetry={() => void refetch()} />;
  if (!sessions) return <Loading what="the sessions" />;
  if (sessions.length === 0) return <Empty>The user is not signed in anywhere.</Empty>;
  const canEnd = can('Mutation.revokeSession');
  return (
    <>
      <SessionList
        sessions={sessions}
        action={(session) =>
          canEnd && (
            <Action onAction={() => end([session.id])} label={`End ${sessionLabel(session)}`}>
              End
            </Action>
          )
        }
      />
      {canEnd && sessions.length > 1 && (
        <Action onAction={() => end(sessions.map(({ id }) => id))} confirmation="End all sessions?" kind="danger">
          End all
        </Action>
      )}
    </>
  );
}
