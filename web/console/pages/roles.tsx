// Roles and their permissions.
import { useQuery } from '@apollo/client/react';
import { useState } from 'react';
import { submit } from '../account';
import { Action, Submit } from '../components/button';
import { formatUserCount } from '../components/count';
import { Field } from '../components/field';
import { Form } from '../components/form';
import { Page, Section } from '../components/page';
import { Permissions } from '../components/permissions';
import { Empty, ErrorMessage, Loading } from '../components/states';
import {
  DeleteRoleDocument,
  type Permission,
  permissionDescriptions,
  type RoleRowFragment,
  RolesDocument,
  SaveRoleDocument,
} from '../generated';
import { useCan, useCurrentUser } from '../session';

export function RolesPage() {
  const { data, error, refetch } = useQuery(RolesDocument, { fetchPolicy: 'cache-and-network' });
  const can = useCan();
  /** Id of the role in the form, or `new`. */
  const [open, setOpen] = useState<string>();
  const canSave = can('Mutation.saveRole');

  const done = () => {
    setOpen(undefined);
    void refetch();
  };
  const createButton = canSave && open !== 'new' && (
    <button type="button" className="button primary" onClick={() => setOpen('new')}>
      New role
    </button>
  );
  return (
    <Page title="Roles" lead="Users get the permissions of their roles with the next request." actions={createButton}>
      {open === 'new' && (
        <Section title="New role">
          <RoleForm onSaved={done} onCancel={() => setOpen(undefined)} />
        </Section>
      )}
      {error && !data && <ErrorMessage error={error} onRetry={() => void refetch()} />}
      {!error && !data && <Loading what="the roles" />}
      {data?.roles.length === 0 && <Empty>No roles.</Empty>}
      <ul className="rows">
        {data?.roles.map((role) =>
          open === role.id ? (
            <li key={role.id}>
              <RoleForm role={role} onSaved={done} onCancel={() => setOpen(undefined)} />
            </li>
          ) : (
            <Row
              key={role.id}
              role={role}
              onChange={canSave && !role.builtIn ? () => setOpen(role.id) : undefined}
              onDelete={can('Mutation.deleteRole') && !role.builtIn ? done : undefined}
            />
          ),
        )}
      </ul>
    </Page>
  );
}

interface RowProps {
  role: RoleRowFragment;
  onChange: (() => void) | undefined;
  /** Called after the deletion; undefined if the role cannot be deleted here. */
  onDelete: (() => void) | undefined;
}

function Row({ role, onChange, onDelete }: RowProps) {
  const { id, name, description, permissions, builtIn, userCount } = role;

  async function remove() {
    const { errors } = await submit(DeleteRoleDocument, { roleId: id });
    if (errors.length === 0) onDelete?.();
    return errors;
  }

  return (
    <li>
      <div className="row-main">
        <strong>{name}</strong> {builtIn && <span className="badge">Built in</span>}
        <p className="muted">
          {description && `${description} · `}
          {formatUserCount(userCount)}
        </p>
        <ul className="tags" aria-label={`Permissions of ${name}`}>
          {permissions.map((permission) => (
            <li key={permission} title={permissionDescriptions[permission]}>
              {permission}
            </li>
          ))}
        </ul>
      </div>
      <div className="row-action">
        {onChange && (
          <button type="button" className="button" aria-label={`Change ${name}`} onClick={onChange}>
            Change
          </button>
        )}
        {onDelete && (
          <Action
            onAction={remove}
            confirmation={`Delete ${name} and remove it from ${formatUserCount(userCount)}?`}
            kind="danger"
            label={`Delete ${name}`}
          >
            Delete
          </Action>
        )}
      </div>
    </li>
  );
}

interface FormProps {
  role?: RoleRowFragment;
  onSaved: () => void;
  onCancel: () => void;
}

function RoleForm({ role, onSaved, onCancel }: FormProps) {
  const currentUser = useCurrentUser();

  async function save(values: FormData) {
    const { errors } = await submit(SaveRoleDocument, {
      roleId: role?.id,
      name: String(values.get('name')),
      description: String(values.get('description')).trim() || null,
      permissions: values.getAll('permissions') as Permission[],
    });
    if (errors.length === 0) onSaved();
    return errors;
  }

  return (
    <Form onSubmit={save} label={role ? `Change ${role.name}` : 'New role'}>
      <Field
        label="Name"
        name="name"
        required
        defaultValue={role?.name}
        hint={
          role && role.userCount > 0
            ? `For other services a renamed role is a new role; this affects ${formatUserCount(role.userCount)}.`
            : undefined
        }
      />
      <Field label="Description (optional)" name="description" defaultValue={role?.description ?? ''} />
      <Permissions
        legend="Permissions"
        name="permissions"
        offered={currentUser.permissions}
        chosen={role?.permissions ?? []}
      />
      <div className="actions">
        <Submit>Save role</Submit>
        <button type="button" className="button" onClick={onCancel}>
          Cancel
        </button>
      </div>
    </Form>
  );
}
