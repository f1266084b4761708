// One user, with the administrator's actions.
import { useQuery } from '@apollo/client/react';
import { Badge } from '../components/badge';
import { DescriptionList } from '../components/description-list';
import { Page, Section } from '../components/page';
import { Empty, ErrorMessage, Loading } from '../components/states';
import { Time } from '../components/time';
import { UserDocument } from '../generated';
import { useCan } from '../session';
import { AccessSection } from './user/access';
import { DetailsForm } from './user/details';
import { PasswordForm } from './user/password';
import { RolesForm } from './user/roles';
import { UserSessions } from './user/sessions';

export function UserPage({ id }: { id: string }) {
  const { data, error, refetch } = useQuery(UserDocument, { variables: { id }, fetchPolicy: 'cache-and-network' });
  const can = useCan();
  const user = data?.user;
  const back = (
    <a className="button" href="#/users">
      All users
    </a>
  );
  if (!user) {
    return (
      <Page title="User" actions={back}>
        {error && <ErrorMessage error={error} onRetry={() => void refetch()} />}
        {!error && !data && <Loading what="the user" />}
        {data && <Empty>User not found.</Empty>}
      </Page>
    );
  }
  const details: [string, React.ReactNode][] = [
    ['Status', <Badge key="status" status={user.status} />],
    ['Last sign-in', <Time key="sign-in" at={user.lastSignInAt} />],
    ['Password changed', <Time key="password" at={user.passwordUpdatedAt} />],
    ['Created', <Time key="created" at={user.createdAt} />],
  ];
  return (
    <Page title={user.username} lead={user.displayName} actions={back}>
      <Section title="Account">
        <DescriptionList>{details}</DescriptionList>
      </Section>
      {can('Mutation.updateUser') && (
        <Section title="Details">
          <DetailsForm key={user.updatedAt} user={user} />
        </Section>
      )}
      {can('Mutation.setUserRoles') && can('Query.roles') && (
        <Section title="Roles" lead="Changes apply to the next request.">
          <RolesForm key={user.roles.join()} user={user} />
        </Section>
      )}
      {can('User.sessions') && (
        <Section title="Sessions">
          <UserSessions userId={user.id} />
        </Section>
      )}
      {can('Mutation.setUserPassword') && (
        <Section title="New password" lead="Ends all sessions of the user.">
          <PasswordForm user={user} />
        </Section>
      )}
      <AccessSection user={user} />
    </Page>
  );
}
