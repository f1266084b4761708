// What stands around every page of somebody who is signed in: the name of the place, the ways, and the way out.
import { type ReactNode, useEffect, useRef, useState } from 'react';
import icon from '../shared/icon.svg';
import { playground } from '../shared/place';
import { account } from './account';
import { Action } from './parts/button';
import { useRoute } from './route';
import { useMay, useViewer } from './session';

export function Frame({ children }: { children: ReactNode }) {
  const { displayName, username } = useViewer();
  const main = useRef<HTMLElement>(null);
  return (
    <div className="frame">
      <button type="button" className="skip" onClick={() => main.current?.focus()}>
        Skip to the content
      </button>
      <header className="side">
        <a className="brand" href="#/">
          <img src={icon} alt="" width={24} height={24} />
          accountd
        </a>
        <Ways />
        <div className="who">
          <span className="who-name" title={username}>
            {displayName ?? username}
          </span>
          <Action
            onAct={async () => {
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

function Ways() {
  const { path } = useRoute();
  const may = useMay();
  const [isOpen, setOpen] = useState(false);
  const place = path[0] ?? 'profile';
  useEffect(() => setOpen(false), [place]);

  const way = (name: string, text: string) => (
    <li>
      <a href={`#/${name}`} aria-current={place === name ? 'page' : undefined}>
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
        aria-controls="ways"
        onClick={() => setOpen(!isOpen)}
      >
        Menu
      </button>
      <nav id="ways" aria-label="Console" data-open={isOpen}>
        <h2>Your account</h2>
        <ul>
          {way('profile', 'Profile')}
          {way('password', 'Password')}
          {way('sessions', 'Sessions')}
          {way('tokens', 'API tokens')}
        </ul>
        {(may('Query.users') || may('Query.roles')) && (
          <>
            <h2>Administration</h2>
            <ul>
              {may('Query.users') && way('users', 'Users')}
              {may('Query.roles') && way('roles', 'Roles')}
              {may('Query.tenants') && may('Query.users') && way('tenants', 'Tenants')}
            </ul>
          </>
        )}
        {playground && (
          <>
            <h2>For developers</h2>
            <ul>
              <li>
                <a href={playground}>Playground</a>
              </li>
            </ul>
          </>
        )}
      </nav>
    </>
  );
}
