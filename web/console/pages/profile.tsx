// One's own names, and what else the account says.
import { useState } from 'react';
import { submit } from '../account';
import { UpdateProfileDocument } from '../generated';
import { Submit } from '../parts/button';
import { Facts } from '../parts/facts';
import { Field } from '../parts/field';
import { Form } from '../parts/form';
import { Notice } from '../parts/notice';
import { Page, Section } from '../parts/page';
import { Time } from '../parts/time';
import { useViewer } from '../session';

export function ProfilePage() {
  const viewer = useViewer();
  const [isSaved, setSaved] = useState(false);

  async function save(values: FormData) {
    setSaved(false);
    const { errors } = await submit(UpdateProfileDocument, {
      username: String(values.get('username')),
      displayName: String(values.get('displayName')).trim() || null,
    });
    setSaved(errors.length === 0);
    return errors;
  }

  return (
    <Page title="Profile">
      <Section title="Names" lead="How you sign in, and how others see you.">
        <Form onSend={save} label="Names">
          <Field label="Username" name="username" defaultValue={viewer.username} autoComplete="username" required />
          <Field label="Name to show" name="displayName" defaultValue={viewer.displayName ?? ''} autoComplete="name" />
          <Submit>Save</Submit>
          {isSaved && <Notice kind="good">Saved.</Notice>}
        </Form>
      </Section>
      <Section title="Account">
        <Facts>
          {[
            ['E-mail address', viewer.email ?? <span className="muted">none</span>],
            ['Roles', viewer.roles.join(', ') || <span className="muted">none</span>],
            ['Password set', <Time key="password" at={viewer.passwordUpdatedAt} />],
            ['Member since', <Time key="since" at={viewer.createdAt} />],
          ]}
        </Facts>
      </Section>
    </Page>
  );
}
