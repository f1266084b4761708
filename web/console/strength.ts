// Password strength by the server's rules; the estimator is loaded on demand.

export interface Strength {
  /** zxcvbn score, 0 to 4. */
  score: 0 | 1 | 2 | 3 | 4;
  /** How to improve the password. */
  advice: string | undefined;
}

/** Undefined for an empty password. `names` are the user's names, which an attacker knows. */
export async function passwordStrength(password: string, names: string[]): Promise<Strength | undefined> {
  if (!password) return undefined;
  const { score } = await import('./strength/score');
  const value = score(password, names.filter(Boolean));
  return { score: value, advice: adviceFor(password, value, names) };
}

function adviceFor(password: string, score: number, names: string[]): string | undefined {
  const lower = password.toLowerCase();
  if (names.some((name) => name && lower === name.toLowerCase())) return 'do not use your own name';
  if ([...password].length < 8) return 'use at least 8 characters';
  return score < 3 ? 'use a few uncommon words' : undefined;
}
