// Roles to choose from.
import { useQuery } from '@apollo/client/react';
import { RolesDocument } from '../generated';
import { Check } from './field';
import { Failure, Loading } from './states';

/** `isTitled`: what they are is said above already. */
export function RoleChecks({ chosen, isTitled = false }: { chosen: readonly string[]; isTitled?: boolean }) {
  const { data, error, refetch } = useQuery(RolesDocument);
  if (error) return <Failure error={error} onRetry={() => void refetch()} />;
  if (!data) return <Loading what="the roles" />;
  return (
    <fieldset className="checks">
      <legend className={isTitled ? 'unseen' : undefined}>Roles</legend>
      {data.roles.map(({ id, name, description }) => (
        <Check
          key={id}
          name="roles"
          value={name}
          label={name}
          hint={description ?? ''}
          defaultChecked={chosen.includes(name)}
        />
      ))}
    </fieldset>
  );
}
