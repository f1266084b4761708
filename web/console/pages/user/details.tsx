// A user's names and address, and whether a new password has to be chosen.
import { useState } from 'react';
import { submit } from '../../account';
import { UpdateUserDocument, type UserRowFragment } from '../../generated';
import { Submit } from '../../parts/button';
import { Check, Field } from '../../parts/field';
import { Form } from '../../parts/form';
import { Notice } from '../../parts/notice';

export function DetailsForm({ user }: { user: UserRowFragment }) {
  const [isSaved, setSaved] = useState(false);

  async function save(values: FormData) {
    setSaved(false);
    const text = (name: string) => String(values.get(name)).trim() || null;
    const { errors } = await submit(UpdateUserDocument, {
      userId: user.id,
      username: String(values.get('username')),
      email: text('email'),
      displayName: text('displayName'),
      mustChangePassword: values.has('mustChangePassword'),
    });
    setSaved(errors.length === 0);
    return errors;
  }

  return (
    <Form onSend={save} label="Details">
      <Field label="Username" name="username" defaultValue={user.username} autoComplete="off" required />
      <Field label="E-mail address" name="email" type="email" defaultValue={user.email ?? ''} autoComplete="off" />
      <Field label="Name to show" name="displayName" defaultValue={user.displayName ?? ''} autoComplete="off" />
      <Check
        name="mustChangePassword"
        label="Another password has to be chosen"
        hint="Until then the user can do nothing else."
        defaultChecked={user.mustChangePassword}
      />
      <Submit>Save</Submit>
      {isSaved && <Notice kind="good">Saved.</Notice>}
    </Form>
  );
}
