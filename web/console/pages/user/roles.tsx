// The roles that a user holds.
import { useState } from 'react';
import { submit } from '../../account';
import { SetUserRolesDocument, type UserRowFragment } from '../../generated';
import { Submit } from '../../parts/button';
import { Form } from '../../parts/form';
import { Notice } from '../../parts/notice';
import { RoleChecks } from '../../parts/role-checks';

export function RolesForm({ user }: { user: UserRowFragment }) {
  const [isSaved, setSaved] = useState(false);

  async function save(values: FormData) {
    setSaved(false);
    const roles = values.getAll('roles').map(String);
    const { errors } = await submit(SetUserRolesDocument, { userId: user.id, roles });
    setSaved(errors.length === 0);
    return errors;
  }

  return (
    <Form onSend={save} label="Roles">
      <RoleChecks chosen={user.roles} isTitled />
      <Submit>Save the roles</Submit>
      {isSaved && <Notice kind="good">Saved.</Notice>}
    </Form>
  );
}
