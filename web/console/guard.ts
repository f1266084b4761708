// What a person may use, by the same table that the server enforces and prints into its schema.
import { guards, type Permission } from './generated';

export type Guarded = keyof typeof guards;

/** Whether these permissions open the field; what is open to its owner is for whoever shows one's own things. */
export function may(permissions: readonly Permission[], field: Guarded): boolean {
  const any: readonly Permission[] = guards[field].any;
  return any.length === 0 || any.some((permission) => permissions.includes(permission));
}
