// zxcvbn with its dictionaries of common passwords, in a separate chunk.
import { ZxcvbnFactory } from '@zxcvbn-ts/core';
import { adjacencyGraphs, dictionary } from '@zxcvbn-ts/language-common';
import type { Strength } from '../strength';

const zxcvbn = new ZxcvbnFactory({ dictionary, graphs: adjacencyGraphs });

/** Characters; more do not raise the score, and the estimate takes long. */
const MAX_LENGTH = 100;

export function score(password: string, names: string[]): Strength['score'] {
  return zxcvbn.check(password.slice(0, MAX_LENGTH), names).score;
}
