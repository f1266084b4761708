// Session status and the current user, as React context.
import { useQuery } from '@apollo/client/react';
import { createContext, type ReactNode, useCallback, useContext, useEffect, useRef, useState } from 'react';
import { account, client } from './account';
import { errorCode, errorMessage } from './errors';
import { type CurrentUserFragment, MeDocument } from './generated';
import { can, type Guarded } from './guard';
import { monitorSession } from './session-monitor';

export type Status =
  | { kind: 'unknown' }
  | { kind: 'failed'; message: string }
  | { kind: 'signed-out'; reason?: string }
  | { kind: 'must-change-password' }
  | { kind: 'signed-in' };

interface Session {
  status: Status;
  /** Reads the status from the server again. */
  recheck(): Promise<void>;
}

const Context = createContext<Session | undefined>(undefined);

export function useSession(): Session {
  const session = useContext(Context);
  if (!session) throw new Error('no session context: render the component inside SessionProvider');
  return session;
}

export function SessionProvider({ children }: { children: ReactNode }) {
  const [status, setStatus] = useState<Status>({ kind: 'unknown' });

  const recheck = useCallback(async () => {
    try {
      const { data } = await client.query({ query: MeDocument, fetchPolicy: 'network-only' });
      setStatus((before) => (data?.me ? { kind: 'signed-in' } : { ...before, kind: 'signed-out' }));
    } catch (error) {
      if (errorCode(error) === 'PASSWORD_CHANGE_REQUIRED') setStatus({ kind: 'must-change-password' });
      // The `signed-out` event has the reason.
      else if (errorCode(error) !== 'UNAUTHENTICATED') setStatus({ kind: 'failed', message: errorMessage(error) });
    }
  }, []);

  const isSignedIn = useRef(false);
  isSignedIn.current = status.kind === 'signed-in';

  useEffect(() => {
    void recheck();
    const unsubscribes = [
      // The page of a signed-in user stays open, so the cache stays.
      account.on('signed-in', () => void (isSignedIn.current ? recheck() : client.clearStore().then(recheck))),
      account.on('signed-out', ({ reason }) => {
        setStatus({ kind: 'signed-out', reason });
        void client.clearStore();
      }),
    ];
    return () => {
      for (const unsubscribe of unsubscribes) unsubscribe();
    };
  }, [recheck]);

  useEffect(() => (status.kind === 'signed-in' ? monitorSession() : undefined), [status.kind]);

  return <Context value={{ status, recheck }}>{children}</Context>;
}

/** The signed-in user; requires the status `signed-in`. */
export function useCurrentUser(): CurrentUserFragment {
  const { data } = useQuery(MeDocument);
  return data?.me ?? SIGNED_OUT_USER;
}

export function useCan(): (field: Guarded) => boolean {
  const { permissions } = useCurrentUser();
  return (field) => can(permissions, field);
}

/** Placeholder while the page changes after the end of a session. */
const SIGNED_OUT_USER: CurrentUserFragment = {
  id: '',
  username: '',
  displayName: null,
  email: null,
  roles: [],
  permissions: [],
  passwordUpdatedAt: null,
  createdAt: '',
};
