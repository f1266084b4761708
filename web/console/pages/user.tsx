// One user, and what an administrator can do about the account.
import { useQuery } from '@apollo/client/react';
import { UserDocument } from '../generated';
import { Badge } from '../parts/badge';
import { Facts } from '../parts/facts';
import { Page, Section } from '../parts/page';
import { Empty, Failure, Loading } from '../parts/states';
import { Time } from '../parts/time';
import { useMay } from '../session';
import { AccessSection } from './user/access';
import { DetailsForm } from './user/details';
import { PasswordForm } from './user/password';
import { RolesForm } from './user/roles';
import { SessionsOf } from './user/sessions';

export function UserPage({ id }: { id: string }) {
  const { data, error, refetch } = useQuery(UserDocument, { variables: { id }, fetchPolicy: 'cache-and-network' });
  const may = useMay();
  const user = data?.user;
  const back = (
    <a className="button" href="#/users">
      All users
    </a>
  );
  if (!user) {
    return (
      <Page title="User" actions={back}>
        {error && <Failure error={error} onRetry={() => void refetch()} />}
        {!error && !data && <Loading what="the user" />}
        {data && <Empty>There is no such user.</Empty>}
      </Page>
    );
  }
  const facts: [string, React.ReactNode][] = [
    ['Status', <Badge key="status" status={user.status} />],
    ['Last sign-in', <Time key="sign-in" at={user.lastSignInAt} />],
    ['Password set', <Time key="password" at={user.passwordUpdatedAt} />],
    ['Created', <Time key="created" at={user.createdAt} />],
  ];
  return (
    <Page title={user.username} lead={user.displayName} actions={back}>
      <Section title="Account">
        <Facts>{facts}</Facts>
      </Section>
      {may('Mutation.updateUser') && (
        <Section title="Details">
          <DetailsForm key={user.updatedAt} user={user} />
        </Section>
      )}
      {may('Mutation.setUserRoles') && may('Query.roles') && (
        <Section title="Roles" lead="They count from the next request on.">
          <RolesForm key={user.roles.join()} user={user} />
        </Section>
      )}
      {may('User.sessions') && (
        <Section title="Sessions">
          <SessionsOf userId={user.id} />
        </Section>
      )}
      {may('Mutation.setUserPassword') && (
        <Section title="New password" lead="All sessions of the user end.">
          <PasswordForm user={user} />
        </Section>
      )}
      <AccessSection user={user} />
    </Page>
  );
}
