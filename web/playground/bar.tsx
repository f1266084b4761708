// Sign-in form, or the Authorization header that requests are sent with.
import { type FormEvent, useEffect, useState, useSyncExternalStore } from 'react';
import icon from '../shared/icon.svg';
import { rootUrl } from '../shared/urls';
import { account } from './account';

/** A refresh replaces the token without an event, so the bar polls for it. */
const TOKEN_POLL_INTERVAL_MS = 1_000;

function subscribe(listener: () => void): () => void {
  const timer = setInterval(listener, TOKEN_POLL_INTERVAL_MS);
  const unsubscribes = [account.on('signed-in', listener), account.on('signed-out', listener)];
  return () => {
    clearInterval(timer);
    for (const unsubscribe of unsubscribes) unsubscribe();
  };
}

export function Bar() {
  const token = useSyncExternalStore(subscribe, () => account.accessToken);
  return (
    <header className="bar">
      <a className="brand" href={rootUrl}>
        <img src={icon} alt="" width={24} height={24} />
        accountd
      </a>
      {token ? <TokenBar token={token} /> : <SignInForm />}
    </header>
  );
}

function TokenBar({ token }: { token: string }) {
  const [isCopied, setCopied] = useState(false);
  useEffect(() => setCopied(false), [token]);
  const header = `Authorization: Bearer ${token}`;
  return (
    <div className="current-user">
      <code title="Sent with each request; refreshed automatically">
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

function SignInForm() {
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
      setProblem('The server is unreachable. Try again.');
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
