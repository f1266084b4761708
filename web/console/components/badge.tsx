// Badge with a user's status.
import type { UserStatus } from '../generated';

export function Badge({ status }: { status: UserStatus }) {
  return status === 'ACTIVE' ? <span className="badge good">Active</span> : <span className="badge bad">Disabled</span>;
}
