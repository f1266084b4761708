// Layout of pages for signed-in users: brand, navigation and sign-out.
import { type ReactNode, useEffect, useRef, useState } from 'react';
import icon from '../shared/icon.svg';
import { playgroundUrl } from '../shared/urls';
import { account } from './account';
import { Action } from './components/button';
import { useRoute } from './route';
import { useCan, useCurrentUser } from './session';

export function Layout({ children }: { children: ReactNode }) {
  const { displayName, username } = useCurrentUser();
  const main = useRef<HTMLElement>(null);
  return (
    <div className="layout">
      <button type="button" className="skip-link" onClick={() => main.current?.focus()}>
        Skip to the content
      </button>
      <header className="sidebar">
        <a className="brand" href="#/">
          <img src={icon} alt="" width={24} height={24} />
          accountd
        </a>
        <Nav />
        <div className="current-user">
          <span className="current-user-name" title={username}>
            {displayName ?? username}
          </span>
          <Action
            onAction={async () => {
              await account.logout();
              return [];
            }}
          >
            Sign out
          </Action>
        </div>
      </header>
      <main ref={main} tabIndex={-1}>
        {children}
      </main>
    </div>
  );
}

function Nav() {
  const { path } = useRoute();
  const can = useCan();
  const [isOpen, setOpen] = useState(false);
  const current = path[0] ?? 'profile';
  useEffect(() => setOpen(false), [current]);

  const item = (name: string, text: string) => (
    <li>
      <a href={`#/${name}`} aria-current={current === name ? 'page' : undefined}>
        {text}
      </a>
    </li>
  );
  return (
    <>
      <button
        type="button"
        className="button quiet menu"
        aria-expanded={isOpen}
        aria-controls="nav"
        onClick={() => setOpen(!isOpen)}
      >
        Menu
      </button>
      <nav id="nav" aria-label="Console" data-open={isOpen}>
        <h2>Your account</h2>
        <ul>
          {item('profile', 'Profile')}
          {item('password', 'Password')}
          {item('sessions', 'Sessions')}
          {item('tokens', 'API tokens')}
        </ul>
        {(can('Query.users') || can('Query.roles')) && (
          <>
            <h2>Administration</h2>
            <ul>
              {can('Query.users') && item('users', 'Users')}
              {can('Query.roles') && item('roles', 'Roles')}
              {can('Query.tenants') && can('Query.users') && item('tenants', 'Tenants')}
            </ul>
          </>
        )}
        {playgroundUrl && (
          <>
            <h2>For developers</h2>
            <ul>
              <li>
                <a href={playgroundUrl}>Playground</a>
              </li>
            </ul>
          </>
        )}
      </nav>
    </>
  );
}
