// Permission checks by the guards in the server's schema.
import { guards, type Permission } from './generated';

export type Guarded = keyof typeof guards;

/** Whether these permissions allow the field. It ignores owner access, which pages for the user's own data rely on. */
export function can(permissions: readonly Permission[], field: Guarded): boolean {
  const any: readonly Permission[] = guards[field].any;
  return any.length === 0 || any.some((permission) => permissions.includes(permission));
}
