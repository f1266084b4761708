// The user's profile.
import { useState } from 'react';
import { submit } from '../account';
import { Submit } from '../components/button';
import { DescriptionList } from '../components/description-list';
import { Field } from '../components/field';
import { Form } from '../components/form';
import { Notice } from '../components/notice';
import { Page, Section } from '../components/page';
import { Time } from '../components/time';
import { UpdateProfileDocument } from '../generated';
import { useCurrentUser } from '../session';

export function ProfilePage() {
  const currentUser = useCurrentUser();
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
      <Section title="Names" lead="Your username for sign-in and the name that others see.">
        <Form onSubmit={save} label="Names">
          <Field
            label="Username"
            name="username"
            defaultValue={currentUser.username}
            autoComplete="username"
            required
          />
          <Field
            label="Display name"
            name="displayName"
            defaultValue={currentUser.displayName ?? ''}
            autoComplete="name"
          />
          <Submit>Save</Submit>
          {isSaved && <Notice kind="good">Saved.</Notice>}
        </Form>
      </Section>
      <Section title="Account">
        <DescriptionList>
          {[
            ['E-mail address', currentUser.email ?? <span className="muted">none</span>],
            ['Roles', currentUser.roles.join(', ') || <span className="muted">none</span>],
            ['Password changed', <Time key="password" at={currentUser.passwordUpdatedAt} />],
            ['Member since', <Time key="since" at={currentUser.createdAt} />],
          ]}
        </DescriptionList>
      </Section>
    </Page>
  );
}
