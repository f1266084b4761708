// Numbers in words.

export function users(count: number): string {
  return count === 1 ? 'one user' : `${count} users`;
}
