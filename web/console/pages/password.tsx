// Changing one's own password: when one wants to, and when one has to.
import { useState } from 'react';
import { account, submit } from '../account';
import { UpdatePasswordDocument } from '../generated';
import { Action, Submit } from '../parts/button';
import { Check } from '../parts/field';
import { Form } from '../parts/form';
import { Notice } from '../parts/notice';
import { Page, Section } from '../parts/page';
import { NewPassword, Password } from '../parts/password';
import { useSession, useViewer } from '../session';
import { Door } from './door';

export function PasswordPage() {
  const { username, email } = useViewer();
  const [ended, setEnded] = useState<{ sessions: number; apiTokens: number }>();
  // A new form after a change: what was typed is of no use any more.
  const [round, setRound] = useState(0);

  async function change(values: FormData) {
    setEnded(undefined);
    const payload = await submit(UpdatePasswordDocument, {
      currentPassword: String(values.get('currentPassword')),
      newPassword: String(values.get('newPassword')),
      revokeOtherSessions: values.has('revokeOtherSessions'),
      revokeApiTokens: values.has('revokeApiTokens'),
    });
    if (payload.errors.length === 0) {
      setEnded({ sessions: payload.revokedSessionCount, apiTokens: payload.revokedApiTokenCount });
      setRound(round + 1);
    }
    return payload.errors;
  }

  return (
    <Page title="Password">
      <Section title="Change it" lead="You stay signed in here.">
        <Form key={round} onSend={change} label="Change the password">
          <Password label="Current password" name="currentPassword" autoComplete="current-password" />
          <NewPassword label="New password" name="newPassword" names={[username, email ?? '']} />
          <Check name="revokeOtherSessions" label="Sign out everywhere else" defaultChecked />
          <Check
            name="revokeApiTokens"
            label="Revoke all API tokens"
            hint="Choose this if somebody else may have had the account."
          />
          <Submit>Change the password</Submit>
        </Form>
        {ended !== undefined && <Notice kind="good">{changed(ended)}</Notice>}
      </Section>
    </Page>
  );
}

function changed({ sessions, apiTokens }: { sessions: number; apiTokens: number }): string {
  const parts = ['The password is changed.'];
  if (sessions > 0) parts.push(`${sessions === 1 ? 'One other session' : `${sessions} other sessions`} ended.`);
  if (apiTokens > 0) parts.push(`${apiTokens === 1 ? 'One API token was' : `${apiTokens} API tokens were`} revoked.`);
  return parts.join(' ');
}

/** For whoever has a password that an administrator set. */
export function ChoosePassword() {
  const { look } = useSession();

  async function choose(values: FormData) {
    const payload = await submit(UpdatePasswordDocument, {
      currentPassword: String(values.get('currentPassword')),
      newPassword: String(values.get('newPassword')),
      revokeOtherSessions: true,
    });
    if (payload.errors.length === 0) await look();
    return payload.errors;
  }

  return (
    <Door title="Choose a password">
      <p className="muted">Your password was set by an administrator. Choose one that only you know.</p>
      <Form onSend={choose} label="Choose a password">
        <Password label="Current password" name="currentPassword" autoComplete="current-password" />
        <NewPassword label="New password" name="newPassword" names={[]} />
        <Submit>Go on</Submit>
      </Form>
      <Action
        onAct={async () => {
          await account.logout();
          return [];
        }}
      >
        Sign out
      </Action>
    </Door>
  );
}
