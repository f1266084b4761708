// Password change: voluntary, or required after a reset by an administrator.
import { useState } from 'react';
import { account, submit } from '../account';
import { Action, Submit } from '../components/button';
import { Check } from '../components/field';
import { Form } from '../components/form';
import { Notice } from '../components/notice';
import { Page, Section } from '../components/page';
import { NewPassword, Password } from '../components/password';
import { UpdatePasswordDocument } from '../generated';
import { useCurrentUser, useSession } from '../session';
import { SignedOutLayout } from './signed-out';

export function PasswordPage() {
  const { username, email } = useCurrentUser();
  const [ended, setEnded] = useState<{ sessions: number; apiTokens: number }>();
  // A new key clears the form after a change.
  const [formKey, setFormKey] = useState(0);

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
      setFormKey(formKey + 1);
    }
    return payload.errors;
  }

  return (
    <Page title="Password">
      <Section title="Change password" lead="You stay signed in on this device.">
        <Form key={formKey} onSubmit={change} label="Change password">
          <Password label="Current password" name="currentPassword" autoComplete="current-password" />
          <NewPassword label="New password" name="newPassword" names={[username, email ?? '']} />
          <Check name="revokeOtherSessions" label="Sign out everywhere else" defaultChecked />
          <Check
            name="revokeApiTokens"
            label="Revoke all API tokens"
            hint="Select this if someone else may have used your account."
          />
          <Submit>Change password</Submit>
        </Form>
        {ended !== undefined && <Notice kind="good">{changeSummary(ended)}</Notice>}
      </Section>
    </Page>
  );
}

function changeSummary({ sessions, apiTokens }: { sessions: number; apiTokens: number }): string {
  const parts = ['Password changed.'];
  if (sessions > 0) parts.push(`${sessions === 1 ? 'One other session' : `${sessions} other sessions`} ended.`);
  if (apiTokens > 0) parts.push(`${apiTokens === 1 ? 'One API token was' : `${apiTokens} API tokens were`} revoked.`);
  return parts.join(' ');
}

/** Required after an administrator set the password. */
export function ChoosePassword() {
  const { recheck } = useSession();

  async function choose(values: FormData) {
    const payload = await submit(UpdatePasswordDocument, {
      currentPassword: String(values.get('currentPassword')),
      newPassword: String(values.get('newPassword')),
      revokeOtherSessions: true,
    });
    if (payload.errors.length === 0) await recheck();
    return payload.errors;
  }

  return (
    <SignedOutLayout title="Choose a password">
      <p className="muted">An administrator set your password. Choose one that only you know.</p>
      <Form onSubmit={choose} label="Choose a password">
        <Password label="Current password" name="currentPassword" autoComplete="current-password" />
        <NewPassword label="New password" name="newPassword" names={[]} />
        <Submit>Continue</Submit>
      </Form>
      <Action
        onAction={async () => {
          await account.logout();
          return [];
        }}
      >
        Sign out
      </Action>
    </SignedOutLayout>
  );
}
