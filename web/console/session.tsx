// Who is signed in: nobody knows yet, nobody, somebody who has to choose a password first, or somebody.
import { useQuery } from '@apollo/client/react';
import { createContext, type ReactNode, useCallback, useContext, useEffect, useRef, useState } from 'react';
import { account, client } from './account';
import { codeOf, sentence } from './failure';
import { MeDocument, type ViewerFragment } from './generated';
import { type Guarded, may } from './guard';
import { watch } from './watch';

export type Status =
  | { kind: 'unknown' }
  | { kind: 'failed'; message: string }
  | { kind: 'signed-out'; reason?: string }
  | { kind: 'must-change-password' }
  | { kind: 'signed-in' };

interface Session {
  status: Status;
  /** Looks again. */
  look(): Promise<void>;
}

const Context = createContext<Session | undefined>(undefined);

export function useSession(): Session {
  const session = useContext(Context);
  if (!session) throw new Error('useSession belongs below SessionProvider');
  return session;
}

export function SessionProvider({ children }: { children: ReactNode }) {
  const [status, setStatus] = useState<Status>({ kind: 'unknown' });

  const look = useCallback(async () => {
    try {
      const { data } = await client.query({ query: MeDocument, fetchPolicy: 'network-only' });
      setStatus((before) => (data?.me ? { kind: 'signed-in' } : { ...before, kind: 'signed-out' }));
    } catch (error) {
      if (codeOf(error) === 'PASSWORD_CHANGE_REQUIRED') setStatus({ kind: 'must-change-password' });
      // Why a session is over comes with the event.
      else if (codeOf(error) !== 'UNAUTHENTICATED') setStatus({ kind: 'failed', message: sentence(error) });
    }
  }, []);

  const isIn = useRef(false);
  isIn.current = status.kind === 'signed-in';

  useEffect(() => {
    void look();
    const stops = [
      // Whoever is at work here goes on with it.
      account.on('signed-in', () => void (isIn.current ? look() : client.clearStore().then(look))),
      account.on('signed-out', ({ reason }) => {
        setStatus({ kind: 'signed-out', reason });
        void client.clearStore();
      }),
    ];
    return () => {
      for (const stop of stops) stop();
    };
  }, [look]);

  useEffect(() => (status.kind === 'signed-in' ? watch() : undefined), [status.kind]);

  return <Context value={{ status, look }}>{children}</Context>;
}

/** The person whom the console is for; only below a status of `signed-in`. */
export function useViewer(): ViewerFragment {
  const { data } = useQuery(MeDocument);
  return data?.me ?? nobody;
}

export function useMay(): (field: Guarded) => boolean {
  const { permissions } = useViewer();
  return (field) => may(permissions, field);
}

/** For the moment between the end of a session and the page that says so. */
const nobody: ViewerFragment = {
  id: '',
  username: '',
  displayName: null,
  email: null,
  roles: [],
  permissions: [],
  passwordUpdatedAt: null,
  createdAt: '',
};
