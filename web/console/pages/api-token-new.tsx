// Creates an API token and shows its secret once.
import { useState } from 'react';
import { submit } from '../account';
import { Submit } from '../components/button';
import { Field } from '../components/field';
import { Form } from '../components/form';
import { Section } from '../components/page';
import { Permissions } from '../components/permissions';
import { CreateApiTokenDocument, type Permission } from '../generated';
import { useCurrentUser } from '../session';

const DAY_SECONDS = 86_400;

export function NewToken({ onCreated, onDone }: { onCreated: () => void; onDone: () => void }) {
  const { permissions } = useCurrentUser();
  const [token, setToken] = useState<string>();

  async function create(values: FormData) {
    const days = Number(values.get('expiresIn'));
    const payload = await submit(CreateApiTokenDocument, {
      name: String(values.get('name')),
      note: String(values.get('note')).trim() || null,
      permissions: values.getAll('permissions') as Permission[],
      scopes: String(values.get('scopes')).split(/\s+/).filter(Boolean),
      expiresIn: days > 0 ? days * DAY_SECONDS : null,
    });
    if (payload.token) {
      setToken(payload.token);
      onCreated();
    }
    return payload.errors;
  }

  if (token) return <CreatedToken token={token} onDone={onDone} />;
  return (
    <Section title="New token">
      <Form onSubmit={create} label="New token">
        <Field label="Name" name="name" required hint="A name to recognize the token by" />
        <Field label="Note (optional)" name="note" />
        <Permissions legend="Permissions" name="permissions" offered={permissions} />
        <Field label="Scopes (optional)" name="scopes" hint="Separated by spaces; other services interpret them" />
        <div className="field">
          <label htmlFor="expires-in">Expires</label>
          <select id="expires-in" name="expiresIn" defaultValue="90">
            <option value="7">in a week</option>
            <option value="30">in a month</option>
            <option value="90">in three months</option>
            <option value="365">in a year</option>
            <option value="0">never</option>
          </select>
        </div>
        <div className="actions">
          <Submit>Create token</Submit>
          <button type="button" className="button" onClick={onDone}>
            Cancel
          </button>
        </div>
      </Form>
    </Section>
  );
}

function CreatedToken({ token, onDone }: { token: string; onDone: () => void }) {
  const [isCopied, setCopied] = useState(false);
  return (
    <Section title="Your new token" lead="Copy it now: it is not shown again.">
      <p>
        <code className="secret">{token}</code>
      </p>
      <div className="actions">
        <button
          type="button"
          className="button primary"
          onClick={() => void navigator.clipboard.writeText(token).then(() => setCopied(true))}
        >
          {isCopied ? 'Copied' : 'Copy'}
        </button>
        <button type="button" className="button" onClick={onDone}>
          Done
        </button>
      </div>
    </Section>
  );
}
