// Tenants: made, renamed, disabled and deleted by those who administer the installation.
import { useQuery } from '@apollo/client/react';
import { useState } from 'react';
import { submit } from '../account';
import {
  DeleteTenantDocument,
  SaveTenantDocument,
  SetTenantStatusDocument,
  type TenantRowFragment,
  TenantsDocument,
} from '../generated';
import { Action, Submit } from '../parts/button';
import { users } from '../parts/count';
import { Field } from '../parts/field';
import { Form } from '../parts/form';
import { Page, Section } from '../parts/page';
import { Failure, Loading } from '../parts/states';
import { useMay } from '../session';

export function TenantsPage() {
  /** The cursors in front of the pages that were shown, this one's last. */
  const [cursors, setCursors] = useState<(string | null)[]>([null]);
  const { data, error, refetch } = useQuery(TenantsDocument, {
    variables: { after: cursors.at(-1) },
    fetchPolicy: 'cache-and-network',
  });
  const maySave = useMay()('Mutation.saveTenant');
  /** The tenant that is renamed, or `new`. */
  const [open, setOpen] = useState<string>();
  const own = data?.me?.tenant.id;
  const page = data?.tenants.pageInfo;

  const done = () => {
    setOpen(undefined);
    void refetch();
  };
  const make = maySave && open !== 'new' && (
    <button type="button" className="button primary" onClick={() => setOpen('new')}>
      New tenant
    </button>
  );
  return (
    <Page title="Tenants" lead="Users see and administer only users of their own tenant." actions={make}>
      {open === 'new' && (
        <Section title="New tenant">
          <TenantForm onSaved={done} onCancel={() => setOpen(undefined)} />
        </Section>
      )}
      {error && !data && <Failure error={error} onRetry={() => void refetch()} />}
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
              isOwn={tenant.id === own}
              onRename={maySave ? () => setOpen(tenant.id) : undefined}
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
  /** Whether it is the installation's own, which is neither disabled nor deleted. */
  isOwn: boolean;
  onRename: (() => void) | undefined;
  onDone: () => void;
}

function Row({ tenant, isOwn, onRename, onDone }: RowProps) {
  const { id, name, status, userCount } = tenant;
  const may = useMay();
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
        {isOwn && <span className="badge">The installation’s own</span>}
        <p className="muted">{users(userCount)}</p>
      </div>
      <div className="row-action">
        {onRename && (
          <button type="button" className="button" aria-label={`Rename ${name}`} onClick={onRename}>
            Rename
          </button>
        )}
        {!isOwn && may('Mutation.setTenantStatus') && (
          <Action
            onAct={setStatus}
            question={isActive ? `Disable ${name}, and sign out ${users(userCount)}?` : undefined}
            kind={isActive ? 'danger' : 'plain'}
            label={`${isActive ? 'Disable' : 'Enable'} ${name}`}
          >
            {isActive ? 'Disable' : 'Enable'}
          </Action>
        )}
        {!isOwn && userCount === 0 && may('Mutation.deleteTenant') && (
          <Action
            onAct={remove}
            question={`Delete ${name}, which has no users?`}
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
    <Form onSend={save} label={tenant ? `Rename ${tenant.name}` : 'New tenant'}>
      <Field label="Name" name="name" required defaultValue={tenant?.name} />
      <div className="actions">
        <Submit>Save the tenant</Submit>
        <button type="button" className="button" onClick={onCancel}>
          Cancel
        </button>
      </div>
    </Form>
  );
}
