// Where a user is signed in, and how to end that.
import { useQuery } from '@apollo/client/react';
import { submit } from '../../account';
import { RevokeSessionDocument, UserSessionsDocument } from '../../generated';
import { Action } from '../../parts/button';
import { Devices, nameOf } from '../../parts/device';
import { Empty, Failure, Loading } from '../../parts/states';
import { useMay } from '../../session';

export function SessionsOf({ userId }: { userId: string }) {
  const may = useMay();
  const { data, error, refetch } = useQuery(UserSessionsDocument, {
    variables: { id: userId, first: 100 },
    fetchPolicy: 'cache-and-network',
  });
  const sessions = data?.user?.sessions.nodes;

  /** One after the other, because each is a decision of its own for the server. */
  async function end(ids: string[]) {
    for (const sessionId of ids) {
      const { errors } = await submit(RevokeSessionDocument, { sessionId });
      // Somebody else may have ended it in the meantime.
      if (errors.some(({ code }) => code !== 'NOT_FOUND')) return errors;
    }
    await refetch();
    return [];
  }

  if (error && !data) return <Failure error={error} onRetry={() => void refetch()} />;
  if (!sessions) return <Loading what="the sessions" />;
  if (sessions.length === 0) return <Empty>The user is not signed in anywhere.</Empty>;
  const mayEnd = may('Mutation.revokeSession');
  return (
    <>
      <Devices
        of={sessions}
        action={(session) =>
          mayEnd && (
            <Action onAct={() => end([session.id])} label={`End ${nameOf(session)}`}>
              End
            </Action>
          )
        }
      />
      {mayEnd && sessions.length > 1 && (
        <Action onAct={() => end(sessions.map(({ id }) => id))} question="End all of them?" kind="danger">
          End all
        </Action>
      )}
    </>
  );
}
