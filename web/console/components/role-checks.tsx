// Checkboxes for roles.
import { useQuery } from '@apollo/client/react';
import { RolesDocument } from '../generated';
import { Check } from './field';
import { ErrorMessage, Loading } from './states';

/** `isLegendHidden`: a heading above already names them. */
export function RoleChecks({
  chosen,
  isLegendHidden = false,
}: {
  chosen: readonly string[];
  isLegendHidden?: boolean;
}) {
  const { data, error, refetch } = useQuery(RolesDocument);
  if (error) return <ErrorMessage error={error} onRetry={() => void refetch()} />;
  if (!data) return <Loading what="the roles" />;
  return (
    <fieldset className="checks">
      <legend className={isLegendHidden ? 'visually-hidden' : undefined}>Roles</legend>
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
