// Registration.
import { useState } from 'react';
import { account } from '../account';
import { Submit } from '../components/button';
import { Field } from '../components/field';
import { Form } from '../components/form';
import { NewPassword } from '../components/password';
import type { ProblemFragment } from '../generated';
import { navigate } from '../route';
import { SignedOutLayout } from './signed-out';

export function RegisterPage() {
  const [username, setUsername] = useState('');
  const [email, setEmail] = useState('');

  async function register(values: FormData) {
    const text = (name: string) => String(values.get(name)).trim() || null;
    const { errors } = await account.register({
      username: String(values.get('username')),
      email: text('email'),
      displayName: text('displayName'),
      password: String(values.get('password')),
    });
    if (errors.length === 0) navigate('#/profile');
    return errors as ProblemFragment[];
  }

  return (
    <SignedOutLayout title="Register">
      <Form onSubmit={register} label="Register">
        <Field
          label="Username"
          name="username"
          autoComplete="username"
          autoCapitalize="none"
          required
          hint="Letters, digits, dots, dashes and underscores"
          onInput={(event) => setUsername(event.currentTarget.value)}
        />
        <Field
          label="E-mail address (optional)"
          name="email"
          type="email"
          autoComplete="email"
          onInput={(event) => setEmail(event.currentTarget.value)}
        />
        <Field label="Display name (optional)" name="displayName" autoComplete="name" />
        <NewPassword label="Password" name="password" names={[username, email]} />
        <Submit>Register</Submit>
      </Form>
      <p className="muted">
        Already registered? <a href="#/">Sign in</a>
      </p>
    </SignedOutLayout>
  );
}
