// Enables, disables and deletes a user.
import { client, submit } from '../../account';
import { Action } from '../../components/button';
import { Section } from '../../components/page';
import { DeleteUserDocument, SetUserStatusDocument, type UserRowFragment } from '../../generated';
import { navigate } from '../../route';
import { useCan } from '../../session';

export function AccessSection({ user }: { user: UserRowFragment }) {
  const can = useCan();
  const [canSetStatus, canDelete] = [can('Mutation.setUserStatus'), can('Mutation.deleteUser')];
  if (!canSetStatus && !canDelete) return null;
  const isActive = user.status === 'ACTIVE';

  async function toggle() {
    const status = isActive ? 'DISABLED' : 'ACTIVE';
    const { errors } = await submit(SetUserStatusDocument, { userId: user.id, status });
    if (errors.length === 0) await client.refetchQueries({ include: 'active' });
    return errors;
  }

  async function remove() {
    const { deletedUserId, errors } = await submit(DeleteUserDocument, { userId: user.id });
    if (deletedUserId) navigate('#/users');
    return errors;
  }

  return (
    <Section title="Access" lead="Disabling ends all sessions immediately. An enabled user can sign in again.">
      <div className="actions">
        {canSetStatus && (
          <Action
            onAction={toggle}
            kind={isActive ? 'danger' : 'plain'}
            {...(isActive && { confirmation: `Disable ${user.username}?` })}
          >
            {isActive ? 'Disable' : 'Enable'}
          </Action>
        )}
        {canDelete && (
          <Action onAction={remove} kind="danger" confirmation={`Delete ${user.username} permanently?`}>
            Delete
          </Action>
        )}
      </div>
    </Section>
  );
}
