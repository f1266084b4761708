// Checkboxes for permissions, with descriptions.
import { type Permission, permissionDescriptions } from '../generated';
import { Check } from './field';

export const allPermissions = Object.keys(permissionDescriptions) as Permission[];

interface Props {
  legend: string;
  name: string;
  /** Permissions that can be granted: users can grant only their own. */
  offered: readonly Permission[];
  chosen?: readonly Permission[];
}

export function Permissions({ legend, name, offered, chosen = [] }: Props) {
  const shown = allPermissions.filter((permission) => offered.includes(permission) || chosen.includes(permission));
  if (shown.length === 0) return null;
  return (
    <fieldset className="checks">
      <legend>{legend}</legend>
      {shown.map((permission) => (
        <Check
          key={permission}
          name={name}
          value={permission}
          label={permissionDescriptions[permission]}
          hint={permission}
          defaultChecked={chosen.includes(permission)}
        />
      ))}
    </fieldset>
  );
}
