// Whether a user can sign in at all.
import { client, submit } from '../../account';
import { DeleteUserDocument, SetUserStatusDocument, type UserRowFragment } from '../../generated';
import { Action } from '../../parts/button';
import { Section } from '../../parts/page';
import { go } from '../../route';
import { useMay } from '../../session';

export function AccessSection({ user }: { user: UserRowFragment }) {
  const may = useMay();
  const [maySwitch, mayDelete] = [may('Mutation.setUserStatus'), may('Mutation.deleteUser')];
  if (!maySwitch && !mayDelete) return null;
  const isActive = user.status === 'ACTIVE';

  async function toggle() {
    const status = isActive ? 'DISABLED' : 'ACTIVE';
    const { errors } = await submit(SetUserStatusDocument, { userId: user.id, status });
    if (errors.length === 0) await client.refetchQueries({ include: 'active' });
    return errors;
  }

  async function remove() {
    const { deletedUserId, errors } = await submit(DeleteUserDocument, { userId: user.id });
    if (deletedUserId) go('#/users');
    return errors;
  }

  return (
    <Section title="Access" lead="Disabling ends all sessions at once; enabling lets the user sign in again.">
      <div className="actions">
        {maySwitch && (
          <Action
            onAct={toggle}
            kind={isActive ? 'danger' : 'plain'}
            {...(isActive && { question: `Disable ${user.username}?` })}
          >
            {isActive ? 'Disable' : 'Enable'}
          </Action>
        )}
        {mayDelete && (
          <Action onAct={remove} kind="danger" question={`Delete ${user.username} for good?`}>
            Delete
          </Action>
        )}
      </div>
    </Section>
  );
}
