// Names with their values, for reading.
import type { ReactNode } from 'react';

export function Facts({ children }: { children: [name: string, value: ReactNode][] }) {
  return (
    <dl className="facts">
      {children.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
