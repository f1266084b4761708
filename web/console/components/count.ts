// Counts with their noun.

export function formatUserCount(count: number): string {
  return count === 1 ? 'one user' : `${count} users`;
}
