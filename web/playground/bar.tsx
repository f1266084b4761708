// Who the requests are sent as: the box to sign in, or the header that goes with each request.
import { type FormEvent, useEffect, useState, useSyncExternalStore } from 'react';
import icon from '../shared/icon.svg';
import { root } from '../shared/place';
import { account } from './account';

/** Tokens change without an event when they are renewed, and nobody looks at them more often than this. */
const LOOK_EVERY_MS = 1_000;

function subscribe(listener: () => void): () => void {
  const timer = setInterval(listener, LOOK_EVERY_MS);
  const stops = [account.on('signed-in', listener), account.on('signed-out', listener)];
  return () => {
    clearInterval(timer);
    for (const stop of stops) stop();
  };
}

export function Bar() {
  const token = useSyncExternalStore(subscribe, () => account.accessToken);
  return (
    <header className="bar">
      <a className="brand" href={root}>
        <img src={icon} alt="" width={24} height={24} />
        accountd
      </a>
      {token ? <SignedIn token={token} /> : <SignIn />}
    </header>
  );
}

function SignedIn({ token }: { token: string }) {
  const [isCopied, setCopied] = useState(false);
  useEffect(() => setCopied(false), [token]);
  const header = `Authorization: Bearer ${token}`;
  return (
    <div className="who">
      <code title="It goes with each request and is renewed by itself">
        Authorization: Bearer {token.slice(0, 8)}…{token.slice(-6)}
      </code>
      <button type="button" onClick={() => void navigator.clipboard.writeText(header).then(() => setCopied(true))}>
        {isCopied ? 'Copied' : 'Copy'}
      </button>
      <button type="button" onClick={() => void account.logout()}>
        Sign out
      </button>
    </div>
  );
}

function SignIn() {
  const [problem, setProblem] = useState<string>();

  async function signIn(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const values = new FormData(event.currentTarget);
    setProblem(undefined);
    try {
      const { errors } = await account.login({
        username: String(values.get('username')),
        password: String(values.get('password')),
      });
      setProblem(errors[0]?.message);
    } catch {
      setProblem('The server cannot be reached.');
    }
  }

  return (
    <form onSubmit={signIn} aria-label="Sign in">
      <input name="username" aria-label="Username" placeholder="Username" autoComplete="username" required />
      <input
        name="password"
        type="password"
        aria-label="Password"
        placeholder="Password"
        autoComplete="current-password"
        required
      />
      <button type="submit" className="primary">
        Sign in
      </button>
      {problem && <span role="alert">{problem}</span>}
    </form>
  );
}
