// The page before the console, for those who are not signed in.
import type { ReactNode } from 'react';
import icon from '../../shared/icon.svg';
import { graphql } from '../../shared/place';
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
      <p className="muted foot">
        For developers: the <a href={graphql}>playground</a>
      </p>
    </main>
  );
}
