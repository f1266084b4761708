// Sign-in.
import { account } from '../account';
import { Submit } from '../components/button';
import { Field } from '../components/field';
import { Form } from '../components/form';
import { Notice } from '../components/notice';
import { Password } from '../components/password';
import { signOutMessage } from '../errors';
import type { ProblemFragment } from '../generated';
import { SignedOutLayout } from './signed-out';

export function SignInPage({ reason }: { reason?: string | undefined }) {
  async function signIn(values: FormData) {
    const { errors } = await account.login({
      username: String(values.get('username')),
      password: String(values.get('password')),
    });
    return errors as ProblemFragment[];
  }

  return (
    <SignedOutLayout title="Sign in">
      {reason && <Notice kind="plain">{signOutMessage(reason)}</Notice>}
      <Form onSubmit={signIn} fieldByCode={{ INVALID_CREDENTIALS: 'password' }} label="Sign in">
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
    </SignedOutLayout>
  );
}
