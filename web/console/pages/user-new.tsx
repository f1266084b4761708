// Creates a user.
import { useState } from 'react';
import { client, submit } from '../account';
import { Submit } from '../components/button';
import { Check, Field } from '../components/field';
import { Form } from '../components/form';
import { Page, Section } from '../components/page';
import { NewPassword } from '../components/password';
import { RoleChecks } from '../components/role-checks';
import { CreateUserDocument, UsersDocument } from '../generated';
import { navigate } from '../route';
import { useCan } from '../session';

export function NewUserPage() {
  const can = useCan();
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
      navigate(`#/users/${user.id}`);
    }
    return errors;
  }

  return (
    <Page title="New user">
      <Section title="Account">
        <Form onSubmit={create} label="New user">
          <Field
            label="Username"
            name="username"
            autoComplete="off"
            autoCapitalize="none"
            required
            onInput={(event) => setUsername(event.currentTarget.value)}
          />
          <Field label="E-mail address (optional)" name="email" type="email" autoComplete="off" />
          <Field label="Display name (optional)" name="displayName" autoComplete="off" />
          <NewPassword label="Initial password" name="password" names={[username]} />
          <Check name="mustChangePassword" label="Require a new password at the first sign-in" defaultChecked />
          {can('Mutation.setUserRoles') && can('Query.roles') && <RoleChecks chosen={[]} />}
          <div className="actions">
            <Submit>Create user</Submit>
            <a className="button" href="#/users">
              Cancel
            </a>
          </div>
        </Form>
      </Section>
    </Page>
  );
}
