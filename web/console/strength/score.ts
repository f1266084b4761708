// zxcvbn with its lists of common passwords, in a chunk of its own.
import { ZxcvbnFactory } from '@zxcvbn-ts/core';
import { adjacencyGraphs, dictionary } from '@zxcvbn-ts/language-common';
import type { Strength } from '../strength';

const zxcvbn = new ZxcvbnFactory({ dictionary, graphs: adjacencyGraphs });

/** Beyond this a password is no stronger, and estimating takes long. */
const MOST_CHARACTERS = 100;

export function score(password: string, names: string[]): Strength['score'] {
  return zxcvbn.check(password.slice(0, MOST_CHARACTERS), names).score;
}
