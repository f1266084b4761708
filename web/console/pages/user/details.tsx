// A user's names, e-mail address and required password change.
import { useState } from 'react';
import { submit } from '../../account';
import { Submit } from '../../components/button';
import { Check, Field } from '../../components/field';
import { Form } from '../../components/form';
import { Notice } from '../../components/notice';
import { UpdateUserDocument, type UserRowFragment } from '../../generated';

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
    <Form onSubmit={save} label="Details">
      <Field label="Username" name="username" defaultValue={user.username} autoComplete="off" required />
      <Field label="E-mail address" name="email" type="email" defaultValue={user.email ?? ''} autoComplete="off" />
      <Field label="Display name" name="displayName" defaultValue={user.displayName ?? ''} autoComplete="off" />
      <Check
        name="mustChangePassword"
        label="Require a password change"
        hint="The user cannot do anything else until then."
        defaultChecked={user.mustChangePassword}
      />
      <Submit>Save</Submit>
      {isSaved && <Notice kind="good">Saved.</Notice>}
    </Form>
  );
}
