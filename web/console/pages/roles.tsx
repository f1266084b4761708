// Roles and what they allow.
import { useQuery } from '@apollo/client/react';
import { useState } from 'react';
import { submit } from '../account';
import {
  DeleteRoleDocument,
  meaningOfPermission,
  type Permission,
  type RoleRowFragment,
  RolesDocument,
  SaveRoleDocument,
} from '../generated';
import { Action, Submit } from '../parts/button';
import { users } from '../parts/count';
import { Field } from '../parts/field';
import { Form } from '../parts/form';
import { Page, Section } from '../parts/page';
import { Permissions } from '../parts/permissions';
import { Empty, Failure, Loading } from '../parts/states';
import { useMay, useViewer } from '../session';

export function RolesPage() {
  const { data, error, refetch } = useQuery(RolesDocument, { fetchPolicy: 'cache-and-network' });
  const may = useMay();
  /** The role that is changed, or `new`. */
  const [open, setOpen] = useState<string>();
  const maySave = may('Mutation.saveRole');

  const done = () => {
    setOpen(undefined);
    void refetch();
  };
  const make = maySave && open !== 'new' && (
    <button type="button" className="button primary" onClick={() => setOpen('new')}>
      New role
    </button>
  );
  return (
    <Page title="Roles" lead="Whoever holds a role may do what it allows, from the next request on." actions={make}>
      {open === 'new' && (
        <Section title="New role">
          <RoleForm onSaved={done} onCancel={() => setOpen(undefined)} />
        </Section>
      )}
      {error && !data && <Failure error={error} onRetry={() => void refetch()} />}
      {!error && !data && <Loading what="the roles" />}
      {data?.roles.length === 0 && <Empty>There are no roles.</Empty>}
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
              onChange={maySave && !role.builtIn ? () => setOpen(role.id) : undefined}
              onDelete={may('Mutation.deleteRole') && !role.builtIn ? done : undefined}
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
  /** Called when the role is deleted; without it nobody deletes the role here. */
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
          {users(userCount)}
        </p>
        <ul className="tags" aria-label={`What ${name} allows`}>
          {permissions.map((permission) => (
            <li key={permission} title={meaningOfPermission[permission]}>
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
            onAct={remove}
            question={`Delete ${name}, and take it from ${users(userCount)}?`}
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
  const viewer = useViewer();

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
    <Form onSend={save} label={role ? `Change ${role.name}` : 'New role'}>
      <Field
        label="Name"
        name="name"
        required
        defaultValue={role?.name}
        hint={
          role && role.userCount > 0
            ? `Another name is another role to services that go by names; ${users(role.userCount)} would have it.`
            : undefined
        }
      />
      <Field label="What it is for (optional)" name="description" defaultValue={role?.description ?? ''} />
      <Permissions
        legend="What it allows"
        name="permissions"
        offered={viewer.permissions}
        chosen={role?.permissions ?? []}
      />
      <div className="actions">
        <Submit>Save the role</Submit>
        <button type="button" className="button" onClick={onCancel}>
          Cancel
        </button>
      </div>
    </Form>
  );
}
