// Names with their values.
import type { ReactNode } from 'react';

export function DescriptionList({ children }: { children: [name: string, value: ReactNode][] }) {
  return (
    <dl className="description-list">
      {children.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
