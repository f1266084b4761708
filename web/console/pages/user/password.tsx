// A password from an administrator, mostly to be replaced by its owner.
import { useState } from 'react';
import { client, submit } from '../../account';
import { SetUserPasswordDocument, type UserRowFragment } from '../../generated';
import { Submit } from '../../parts/button';
import { Check } from '../../parts/field';
import { Form } from '../../parts/form';
import { Notice } from '../../parts/notice';
import { NewPassword } from '../../parts/password';

export function PasswordForm({ user }: { user: UserRowFragment }) {
  const [rounds, setRounds] = useState(0);

  async function set(values: FormData) {
    const { errors } = await submit(SetUserPasswordDocument, {
      userId: user.id,
      password: String(values.get('password')),
      mustChange: values.has('mustChange'),
      revokeApiTokens: values.has('revokeApiTokens'),
    });
    if (errors.length === 0) {
      setRounds(rounds + 1);
      await client.refetchQueries({ include: 'active' });
    }
    return errors;
  }

  return (
    <Form key={rounds} onSend={set} label="New password">
      <NewPassword label="Password" name="password" names={[user.username, user.email ?? '']} />
      <Check name="mustChange" label="Another one has to be chosen at the next sign-in" defaultChecked />
      <Check name="revokeApiTokens" label="Revoke all API tokens of the user" defaultChecked />
      <Submit>Set the password</Submit>
      {rounds > 0 && <Notice kind="good">The password is set.</Notice>}
    </Form>
  );
}
