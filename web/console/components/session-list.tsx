// List of sessions with readable device names.
import type { ReactNode } from 'react';
import type { SessionRowFragment } from '../generated';
import { Time } from './time';

/** In order of precedence: user agents contain the names of several browsers. */
const browsers: [RegExp, string][] = [
  [/Edg\//, 'Edge'],
  [/OPR\//, 'Opera'],
  [/Firefox\//, 'Firefox'],
  [/Chrom(e|ium)\//, 'Chrome'],
  [/Safari\//, 'Safari'],
  [/curl\//, 'curl'],
];

const systems: [RegExp, string][] = [
  [/Android/, 'Android'],
  [/iPhone|iPad/, 'iOS'],
  [/Windows/, 'Windows'],
  [/Mac OS X/, 'macOS'],
  [/Linux/, 'Linux'],
];

export function sessionLabel({ deviceName, userAgent }: SessionRowFragment): string {
  if (deviceName) return deviceName;
  if (!userAgent) return 'Unknown device';
  const match = (list: [RegExp, string][]) => list.find(([pattern]) => pattern.test(userAgent))?.[1];
  const [browser, system] = [match(browsers), match(systems)];
  if (browser && system) return `${browser} on ${system}`;
  return browser ?? system ?? userAgent.slice(0, 60);
}

export function SessionList({
  sessions,
  action,
}: {
  sessions: SessionRowFragment[];
  action: (session: SessionRowFragment) => ReactNode;
}) {
  return (
    <ul className="rows">
      {sessions.map((session) => (
        <li key={session.id}>
          <div className="row-main">
            <strong>{sessionLabel(session)}</strong>{' '}
            {session.current && <span className="badge accent">This device</span>}
            <p className="muted">
              {session.ip ?? 'unknown address'} · last seen <Time at={session.lastSeenAt} /> · signed in{' '}
              <Time at={session.createdAt} />
            </p>
          </div>
          <div className="row-action">{action(session)}</div>
        </li>
      ))}
    </ul>
  );
}
