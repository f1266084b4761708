// How soon a guesser would get to a password, by the same rules as the server's; they are loaded when they are needed.

export interface Strength {
  /** 0 to 4, as zxcvbn counts. */
  score: 0 | 1 | 2 | 3 | 4;
  /** What would make it better. */
  advice: string | undefined;
}

/** Undefined for nothing. `names` are what a guesser knows: the account's own. */
export async function strengthOf(password: string, names: string[]): Promise<Strength | undefined> {
  if (!password) return undefined;
  const { score } = await import('./strength/score');
  const found = score(password, names.filter(Boolean));
  return { score: found, advice: adviceOn(password, found, names) };
}

function adviceOn(password: string, score: number, names: string[]): string | undefined {
  const lower = password.toLowerCase();
  if (names.some((name) => name && lower === name.toLowerCase())) return 'it is a name of the account';
  if ([...password].length < 8) return 'at least 8 characters';
  return score < 3 ? 'a few uncommon words make it better' : undefined;
}
