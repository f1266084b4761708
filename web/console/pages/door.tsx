// The page before the console, for those who are not signed in.
import type { ReactNode } from 'react';
import icon from '../../shared/icon.svg';
import { playground } from '../../shared/place';
import { Page } from '../parts/page';

export function Door({ title, children }: { title: string; children: ReactNode }) {
  return (
    <main className="alone">
      <div className="door">
        <p className="brand">
          <img src={icon} alt="" width={28} height={28} />
          accountd
        </p>
        <Page title={title}>{children}</Page>
      </div>
      {playground && (
        <p className="muted">
          For developers: the <a href={playground}>playground</a>
        </p>
      )}
    </main>
  );
}
