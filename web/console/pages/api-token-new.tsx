// Making an API token, and showing it this once.
import { useState } from 'react';
import { submit } from '../account';
import { CreateApiTokenDocument, type Permission } from '../generated';
import { Submit } from '../parts/button';
import { Field } from '../parts/field';
import { Form } from '../parts/form';
import { Section } from '../parts/page';
import { Permissions } from '../parts/permissions';
import { useViewer } from '../session';

const DAY_SECONDS = 86_400;

export function NewToken({ onMade, onDone }: { onMade: () => void; onDone: () => void }) {
  const { permissions } = useViewer();
  const [token, setToken] = useState<string>();

  async function make(values: FormData) {
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
      onMade();
    }
    return payload.errors;
  }

  if (token) return <Made token={token} onDone={onDone} />;
  return (
    <Section title="New token">
      <Form onSend={make} label="New token">
        <Field label="Name" name="name" required hint="What you will know it by" />
        <Field label="Note (optional)" name="note" />
        <Permissions legend="What it may do" name="permissions" offered={permissions} />
        <Field label="Scopes (optional)" name="scopes" hint="What it means to other services; with blanks between" />
        <div className="field">
          <label htmlFor="expires-in">It ends</label>
          <select id="expires-in" name="expiresIn" defaultValue="90">
            <option value="7">in a week</option>
            <option value="30">in a month</option>
            <option value="90">in three months</option>
            <option value="365">in a year</option>
            <option value="0">never</option>
          </select>
        </div>
        <div className="actions">
          <Submit>Make the token</Submit>
          <button type="button" className="button" onClick={onDone}>
            Cancel
          </button>
        </div>
      </Form>
    </Section>
  );
}

function Made({ token, onDone }: { token: string; onDone: () => void }) {
  const [isCopied, setCopied] = useState(false);
  return (
    <Section title="Your new token" lead="It is shown this once and kept nowhere.">
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
