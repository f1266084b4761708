// Shows what belongs to who is signed in and to the place in the address.
import { Frame } from './frame';
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
import { Failure, Loading } from './parts/states';
import { useRoute } from './route';
import { useMay, useSession } from './session';

export function App() {
  const { status, look } = useSession();
  const { path } = useRoute();
  switch (status.kind) {
    case 'unknown':
      return (
        <main className="alone">
          <Loading what="your account" />
        </main>
      );
    case 'failed':
      return (
        <main className="alone">
          <Failure error={new Error(status.message)} onRetry={() => void look()} />
        </main>
      );
    case 'signed-out':
      return path[0] === 'register' ? <RegisterPage /> : <SignInPage reason={status.reason} />;
    case 'must-change-password':
      return <ChoosePassword />;
    case 'signed-in':
      return (
        <Frame>
          <Place />
        </Frame>
      );
  }
}

/** What is not there, or not for this person, is the profile. */
function Place() {
  const { path } = useRoute();
  const may = useMay();
  const [first, second] = path;
  if (first === 'users' && may('Query.users')) {
    if (second === 'new' && may('Mutation.createUser')) return <NewUserPage />;
    return second ? <UserPage key={second} id={second} /> : <UsersPage />;
  }
  if (first === 'roles' && may('Query.roles')) return <RolesPage />;
  // The numbers of users are for those who see users.
  if (first === 'tenants' && may('Query.tenants') && may('Query.users')) return <TenantsPage />;
  if (first === 'password') return <PasswordPage />;
  if (first === 'sessions') return <SessionsPage />;
  if (first === 'tokens') return <ApiTokensPage />;
  return <ProfilePage />;
}
