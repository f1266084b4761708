// Signing in.
import { account } from '../account';
import { whySignedOut } from '../failure';
import type { ProblemFragment } from '../generated';
import { Submit } from '../parts/button';
import { Field } from '../parts/field';
import { Form } from '../parts/form';
import { Notice } from '../parts/notice';
import { Password } from '../parts/password';
import { Door } from './door';

export function SignInPage({ reason }: { reason?: string | undefined }) {
  async function signIn(values: FormData) {
    const { errors } = await account.login({
      username: String(values.get('username')),
      password: String(values.get('password')),
    });
    return errors as ProblemFragment[];
  }

  return (
    <Door title="Sign in">
      {reason && <Notice kind="plain">{whySignedOut(reason)}</Notice>}
      <Form onSend={signIn} place={{ INVALID_CREDENTIALS: 'password' }} label="Sign in">
        <Field
          label="Username or e-mail address"
          name="username"
          autoComplete="username"
          autoCapitalize="none"
          required
        />
        <Password label="Password" name="password" autoComplete="current-password" />
        <Submit>Sign in</Submit>
      </Form>
      <p className="muted">
        No account yet? <a href="#/register">Register</a>
      </p>
    </Door>
  );
}
