// A user's roles.
import { useState } from 'react';
import { submit } from '../../account';
import { Submit } from '../../components/button';
import { Form } from '../../components/form';
import { Notice } from '../../components/notice';
import { RoleChecks } from '../../components/role-checks';
import { SetUserRolesDocument, type UserRowFragment } from '../../generated';

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
    <Form onSubmit={save} label="Roles">
      <RoleChecks chosen={user.roles} isLegendHidden />
      <Submit>Save roles</Submit>
      {isSaved && <Notice kind="good">Saved.</Notice>}
    </Form>
  );
}
