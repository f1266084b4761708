// Layout of pages for signed-out users.
import type { ReactNode } from 'react';
import icon from '../../shared/icon.svg';
import { playgroundUrl } from '../../shared/urls';
import { Page } from '../components/page';

export function SignedOutLayout({ title, children }: { title: string; children: ReactNode }) {
  return (
    <main className="centered">
      <div className="signed-out">
        <p className="brand">
          <img src={icon} alt="" width={28} height={28} />
          accountd
        </p>
        <Page title={title}>{children}</Page>
      </div>
      {playgroundUrl && (
        <p className="muted">
          For developers: the <a href={playgroundUrl}>playground</a>
        </p>
      )}
    </main>
  );
}
