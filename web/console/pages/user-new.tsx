// Making an account for somebody else.
import { useState } from 'react';
import { client, submit } from '../account';
import { CreateUserDocument, UsersDocument } from '../generated';
import { Submit } from '../parts/button';
import { Check, Field } from '../parts/field';
import { Form } from '../parts/form';
import { Page, Section } from '../parts/page';
import { NewPassword } from '../parts/password';
import { RoleChecks } from '../parts/role-checks';
import { go } from '../route';
import { useMay } from '../session';

export function NewUserPage() {
  const may = useMay();
  const [username, setUsername] = useState('');

  async function create(values: FormData) {
    const text = (name: string) => String(values.get(name)).trim() || null;
    const { user, errors } = await submit(CreateUserDocument, {
      username: String(values.get('username')),
      email: text('email'),
      displayName: text('displayName'),
      password: String(values.get('password')),
      roles: values.getAll('roles').map(String),
      mustChangePassword: values.has('mustChangePassword'),
    });
    if (user) {
      await client.refetchQueries({ include: [UsersDocument] });
      go(`#/users/${user.id}`);
    }
    return errors;
  }

  return (
    <Page title="New user">
      <Section title="The account">
        <Form onSend={create} label="New user">
          <Field
            label="Username"
            name="username"
            autoComplete="off"
            autoCapitalize="none"
            required
            onInput={(event) => setUsername(event.currentTarget.value)}
          />
          <Field label="E-mail address (optional)" name="email" type="email" autoComplete="off" />
          <Field label="Name to show (optional)" name="displayName" autoComplete="off" />
          <NewPassword label="First password" name="password" names={[username]} />
          <Check name="mustChangePassword" label="Another one has to be chosen at the first sign-in" defaultChecked />
          {may('Mutation.setUserRoles') && may('Query.roles') && <RoleChecks chosen={[]} />}
          <div className="actions">
            <Submit>Create the user</Submit>
            <a className="button" href="#/users">
              Cancel
            </a>
          </div>
        </Form>
      </Section>
    </Page>
  );
}
