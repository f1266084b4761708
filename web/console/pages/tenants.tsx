// Tenants: created, renamed, disabled and deleted by administrators of the default tenant.
import { useQuery } from '@apollo/client/react';
import { useState } from 'react';
import { submit } from '../account';
import { Action, Submit } from '../components/button';
import { formatUserCount } from '../components/count';
import { Field } from '../components/field';
import { Form } from '../components/form';
import { Page, Section } from '../components/page';
import { ErrorMessage, Loading } from '../components/states';
import {
  DeleteTenantDocument,
  SaveTenantDocument,
  SetTenantStatusDocument,
  type TenantRowFragment,
  TenantsDocument,
} from '../generated';
import { useCan } from '../session';

export function TenantsPage() {
  /** Start cursors of the pages up to the current one. */
  const [cursors, setCursors] = useState<(string | null)[]>([null]);
  const { data, error, refetch } = useQuery(TenantsDocument, {
    variables: { after: cursors.at(-1) },
    fetchPolicy: 'cache-and-network',
  });
  const canSave = useCan()('Mutation.saveTenant');
  /** Id of the tenant in the form, or `new`. */
  const [open, setOpen] = useState<string>();
  const defaultTenantId = data?.me?.tenant.id;
  const page = data?.tenants.pageInfo;

  const done = () => {
    setOpen(undefined);
    void refetch();
  };
  const createButton = canSave && open !== 'new' && (
    <button type="button" className="button primary" onClick={() => setOpen('new')}>
      New tenant
    </button>
  );
  return (
    <Page title="Tenants" lead="Users can see and manage only users of their own tenant." actions={createButton}>
      {open === 'new' && (
        <Section title="New tenant">
          <TenantForm onSaved={done} onCancel={() => setOpen(undefined)} />
        </Section>
      )}
      {error && !data && <ErrorMessage error={error} onRetry={() => void refetch()} />}
      {!error && !data && <Loading what="the tenants" />}
      <ul className="rows">
        {data?.tenants.nodes.map((tenant) =>
          open === tenant.id ? (
            <li key={tenant.id}>
              <TenantForm tenant={tenant} onSaved={done} onCancel={() => setOpen(undefined)} />
            </li>
          ) : (
            <Row
              key={tenant.id}
              tenant={tenant}
              isDefault={tenant.id === defaultTenantId}
              onRename={canSave ? () => setOpen(tenant.id) : undefined}
              onDone={done}
            />
          ),
        )}
      </ul>
      <div className="actions">
        {cursors.length > 1 && (
          <button type="button" className="button" onClick={() => setCursors(cursors.slice(0, -1))}>
            Previous
          </button>
        )}
        {page?.hasNextPage && (
          <button type="button" className="button" onClick={() => setCursors([...cursors, page.endCursor ?? null])}>
            Next
          </button>
        )}
      </div>
    </Page>
  );
}

interface RowProps {
  tenant: TenantRowFragment;
  /** The default tenant cannot be disabled or deleted. */
  isDefault: boolean;
  onRename: (() => void) | undefined;
  onDone: () => void;
}

function Row({ tenant, isDefault, onRename, onDone }: RowProps) {
  const { id, name, status, userCount } = tenant;
  const can = useCan();
  const isActive = status === 'ACTIVE';

  async function setStatus() {
    const { errors } = await submit(SetTenantStatusDocument, {
      tenantId: id,
      status: isActive ? 'DISABLED' : 'ACTIVE',
    });
    return errors;
  }

  async function remove() {
    const { errors } = await submit(DeleteTenantDocument, { tenantId: id });
    if (errors.length === 0) onDone();
    return errors;
  }

  return (
    <li>
      <div className="row-main">
        <strong>{name}</strong> {!isActive && <span className="badge">Disabled</span>}
        {isDefault && <span className="badge">Default tenant</span>}
        <p className="muted">{formatUserCount(userCount)}</p>
      </div>
      <div className="row-action">
        {onRename && (
          <button type="button" className="button" aria-label={`Rename ${name}`} onClick={onRename}>
            Rename
          </button>
        )}
        {!isDefault && can('Mutation.setTenantStatus') && (
          <Action
            onAction={setStatus}
            confirmation={isActive ? `Disable ${name} and sign out ${formatUserCount(userCount)}?` : undefined}
            kind={isActive ? 'danger' : 'plain'}
            label={`${isActive ? 'Disable' : 'Enable'} ${name}`}
          >
            {isActive ? 'Disable' : 'Enable'}
          </Action>
        )}
        {!isDefault && userCount === 0 && can('Mutation.deleteTenant') && (
          <Action
            onAction={remove}
            confirmation={`Delete ${name}? It has no users.`}
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
  tenant?: TenantRowFragment;
  onSaved: () => void;
  onCancel: () => void;
}

function TenantForm({ tenant, onSaved, onCancel }: FormProps) {
  async function save(values: FormData) {
    const { errors } = await submit(SaveTenantDocument, {
      tenantId: tenant?.id,
      name: String(values.get('name')),
    });
    if (errors.length === 0) onSaved();
    return errors;
  }

  return (
    <Form onSubmit={save} label={tenant ? `Rename ${tenant.name}` : 'New tenant'}>
      <Field label="Name" name="name" required defaultValue={tenant?.name} />
      <div className="actions">
        <Submit>Save tenant</Submit>
        <button type="button" className="button" onClick={onCancel}>
          Cancel
        </button>
      </div>
    </Form>
  );
}
