// Password reset by an administrator.
import { useState } from 'react';
import { client, submit } from '../../account';
import { Submit } from '../../components/button';
import { Check } from '../../components/field';
import { Form } from '../../components/form';
import { Notice } from '../../components/notice';
import { NewPassword } from '../../components/password';
import { SetUserPasswordDocument, type UserRowFragment } from '../../generated';

export function PasswordForm({ user }: { user: UserRowFragment }) {
  const [changes, setChanges] = useState(0);

  async function set(values: FormData) {
    const { errors } = await submit(SetUserPasswordDocument, {
      userId: user.id,
      password: String(values.get('password')),
      mustChange: values.has('mustChange'),
      revokeApiTokens: values.has('revokeApiTokens'),
    });
    if (errors.length === 0) {
      setChanges(changes + 1);
      await client.refetchQueries({ include: 'active' });
    }
    return errors;
  }

  return (
    <Form key={changes} onSubmit={set} label="New password">
      <NewPassword label="Password" name="password" names={[user.username, user.email ?? '']} />
      <Check name="mustChange" label="Require a new password at the next sign-in" defaultChecked />
      <Check name="revokeApiTokens" label="Revoke all API tokens of the user" defaultChecked />
      <Submit>Set password</Submit>
      {changes > 0 && <Notice kind="good">Password set.</Notice>}
    </Form>
  );
}
