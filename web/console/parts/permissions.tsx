// Permissions to choose from, each with what it allows.
import { meaningOfPermission, type Permission } from '../generated';
import { Check } from './field';

export const allPermissions = Object.keys(meaningOfPermission) as Permission[];

interface Props {
  legend: string;
  name: string;
  /** Those that can be given; nobody can give what they do not hold. */
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
          label={meaningOfPermission[permission]}
          hint={permission}
          defaultChecked={chosen.includes(permission)}
        />
      ))}
    </fieldset>
  );
}
