// Making an account.
import { useState } from 'react';
import { account } from '../account';
import type { ProblemFragment } from '../generated';
import { Submit } from '../parts/button';
import { Field } from '../parts/field';
import { Form } from '../parts/form';
import { NewPassword } from '../parts/password';
import { go } from '../route';
import { Door } from './door';

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
    if (errors.length === 0) go('#/profile');
    return errors as ProblemFragment[];
  }

  return (
    <Door title="Register">
      <Form onSend={register} label="Register">
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
        <Field label="Name to show (optional)" name="displayName" autoComplete="name" />
        <NewPassword label="Password" name="password" names={[username, email]} />
        <Submit>Register</Submit>
      </Form>
      <p className="muted">
        Already registered? <a href="#/">Sign in</a>
      </p>
    </Door>
  );
}
