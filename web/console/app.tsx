// Root component: selects the page by session status and route.

import { ErrorMessage, Loading } from './components/states';
import { Layout } from './layout';
import { ApiTokensPage } from './pages/api-tokens';
import { ChoosePassword, PasswordPage } from './pages/password';
import { ProfilePage } from './pages/profile';
import { RegisterPage } from './pages/register';
import { RolesPage } from './pages/roles';
import { SessionsPage } from './pages/sessions';
import { SignInPage } from './pages/sign-in';
import { TenantsPage } from './pages/tenants';
import { UserPage } from './pages/user';
import { NewUserPage } from './pages/user-new';
import { UsersPage } from './pages/users';
import { useRoute } from './route';
import { useCan, useSession } from './session';

export function App() {
  const { status, recheck } = useSession();
  const { path } = useRoute();
  switch (status.kind) {
    case 'unknown':
      return (
        <main className="centered">
          <Loading what="your account" />
        </main>
      );
    case 'failed':
      return (
        <main className="centered">
          <ErrorMessage error={new Error(status.message)} onRetry={() => void recheck()} />
        </main>
      );
    case 'signed-out':
      return path[0] === 'register' ? <RegisterPage /> : <SignInPage reason={status.reason} />;
    case 'must-change-password':
      return <ChoosePassword />;
    case 'signed-in':
      return (
        <Layout>
          <CurrentPage />
        </Layout>
      );
  }
}

/** The page of the route; unknown and forbidden routes show the profile. */
function CurrentPage() {
  const { path } = useRoute();
  const can = useCan();
  const [first, second] = path;
  if (first === 'users' && can('Query.users')) {
    if (second === 'new' && can('Mutation.createUser')) return <NewUserPage />;
    return second ? <UserPage key={second} id={second} /> : <UsersPage />;
  }
  if (first === 'roles' && can('Query.roles')) return <RolesPage />;
  // The list shows user counts, so it requires read access to users.
  if (first === 'tenants' && can('Query.tenants') && can('Query.users')) return <TenantsPage />;
  if (first === 'password') return <PasswordPage />;
  if (first === 'sessions') return <SessionsPage />;
  if (first === 'tokens') return <ApiTokensPage />;
  return <ProfilePage />;
}
