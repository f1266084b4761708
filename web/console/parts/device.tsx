// A session, as its owner would tell it from the others.
import type { ReactNode } from 'react';
import type { DeviceFragment } from '../generated';
import { Time } from './time';

/** Of browsers that call themselves by several names, the last one here is meant. */
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

export function nameOf({ deviceName, userAgent }: DeviceFragment): string {
  if (deviceName) return deviceName;
  if (!userAgent) return 'Unknown device';
  const found = (list: [RegExp, string][]) => list.find(([pattern]) => pattern.test(userAgent))?.[1];
  const [browser, system] = [found(browsers), found(systems)];
  if (browser && system) return `${browser} on ${system}`;
  return browser ?? system ?? userAgent.slice(0, 60);
}

export function Devices({ of, action }: { of: DeviceFragment[]; action: (session: DeviceFragment) => ReactNode }) {
  return (
    <ul className="rows">
      {of.map((session) => (
        <li key={session.id}>
          <div className="row-main">
            <strong>{nameOf(session)}</strong> {session.current && <span className="badge accent">This device</span>}
            <p className="muted">
              {session.ip ?? 'unknown address'} · seen <Time at={session.lastSeenAt} /> · since{' '}
              <Time at={session.createdAt} />
            </p>
          </div>
          <div className="row-action">{action(session)}</div>
        </li>
      ))}
    </ul>
  );
}
