// Asks accountd what it makes of generated GraphQL requests, and compares that with graphql-js.
import { readFile } from 'node:fs/promises';
import { buildSchema, getOperationAST, getVariableValues, parse, validate } from 'graphql';
import { requests } from './corpus.js';
import { WRITTEN } from './corpus-written.js';

/** Differences that stay: what they look like, and why. */
export const KNOWN = [];

/** Limits at their largest: what is judged here is validity. */
export const SETTINGS = {
  ACCOUNTD_GRAPHQL__BATCH_MAX: '10',
  ACCOUNTD_GRAPHQL__INTROSPECTION: 'true',
  ACCOUNTD_GRAPHQL__MAX_ALIASES: '1000',
  ACCOUNTD_GRAPHQL__MAX_COMPLEXITY: '100000',
  ACCOUNTD_GRAPHQL__MAX_DEPTH: '30',
  ACCOUNTD_GRAPHQL__MAX_DIRECTIVES: '1000',
  ACCOUNTD_GRAPHQL__MAX_OPERATIONS: '100',
  ACCOUNTD_GRAPHQL__MAX_QUERY_BYTES: '65536',
  ACCOUNTD_GRAPHQL__MAX_ROOT_FIELDS: '100',
  ACCOUNTD_GRAPHQL__MAX_SELECTIONS: '10000',
  ACCOUNTD_GRAPHQL__MAX_TOKENS: '10000',
  ACCOUNTD_GRAPHQL__MAX_VARIABLES: '1000',
  ACCOUNTD_GRAPHQL__MAX_VARIABLE_BYTES: '65536',
  // Nobody gets an account here, and wrong passwords cost as little as may be.
  ACCOUNTD_REGISTRATION__MODE: 'closed',
  ACCOUNTD_PASSWORD__ARGON2_MEMORY_KIB: '12288',
  ACCOUNTD_PASSWORD__ARGON2_ITERATIONS: '3',
};

const PER_REQUEST = 10;
const BYTES_PER_REQUEST = 24_000;
const AT_ONCE = 4;

/** The requests that are judged: written ones, and `count` generated ones. */
export async function corpus(seed, count) {
  const schema = buildSchema(await readFile(new URL('../../schema.graphql', import.meta.url), 'utf8'));
  const cases = [...WRITTEN, ...requests(schema, seed, count)].filter(({ query }) => query.trim() !== '');
  return { schema, cases };
}

/** Why graphql-js refuses a request; nothing if it takes it. */
export function refusalOf(schema, { query, variables = '{}', operationName }) {
  let document;
  try {
    document = parse(query);
  } catch (error) {
    return error.message;
  }
  try {
    const [invalid] = validate(schema, document);
    if (invalid) return invalid.message;
  } catch (error) {
    // It throws where a subscription's only field is included by a variable (GraphQL section 5.2.4.1 refuses that).
    return error.message;
  }
  const operation = getOperationAST(document, operationName);
  if (!operation) return 'no such operation, or more than one';
  const { errors } = getVariableValues(schema, operation.variableDefinitions ?? [], JSON.parse(variables));
  return errors?.[0].message;
}

/** What the server makes of the cases: for each the message with which it refuses it, nothing if it runs it. */
export async function verdicts(uri, cases) {
  const answers = new Array(cases.length);
  const batches = [];
  let batch = [];
  let bytes = 0;
  for (const [place, one] of cases.entries()) {
    const body = bodyOf(one);
    if (batch.length === PER_REQUEST || (batch.length > 0 && bytes + body.length > BYTES_PER_REQUEST)) {
      batches.push(batch);
      [batch, bytes] = [[], 0];
    }
    batch.push({ place, body });
    bytes += body.length;
  }
  if (batch.length > 0) batches.push(batch);
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    for (let next = batches.pop(); next; next = batches.pop()) {
      const together = await ask(uri, `[${next.map(({ body }) => body).join(',')}]`);
      for (const [at, { place, body }] of next.entries()) {
        // Requests that come together share the limits: what passes them is asked alone.
        const answer = Array.isArray(together) && !isLimited(together[at]) ? together[at] : await ask(uri, body);
        answers[place] = verdict(answer);
      }
    }
  }));
  return answers;
}

function bodyOf({ query, variables, operationName }) {
  const members = [`"query":${JSON.stringify(query)}`];
  if (variables) members.push(`"variables":${variables}`);
  if (operationName) members.push(`"operationName":${JSON.stringify(operationName)}`);
  return `{${members.join(',')}}`;
}

async function ask(uri, body) {
  const headers = { 'content-type': 'application/json', accept: 'application/json' };
  const response = await fetch(uri, { method: 'POST', headers, body });
  return response.json();
}

const isLimited = ({ errors }) => errors?.some(({ extensions }) => extensions?.code === 'OPERATION_TOO_COMPLEX');

function verdict(answer) {
  if (isLimited(answer)) return { limit: answer.errors[0].extensions.limit ?? answer.errors[0].message };
  const { data, errors = [] } = answer;
  const isRun = data || errors.length === 0 || errors.some(({ path }) => path?.length > 0);
  return { refusal: isRun ? undefined : `${errors[0].message} (${errors[0].extensions?.code})` };
}

/** Compares the server at `uri` with graphql-js on the corpus of a seed. */
export async function compare(uri, seed, count) {
  const { schema, cases } = await corpus(seed, count);
  const found = await verdicts(uri, cases);
  const [differences, limited] = [[], []];
  let taken = 0;
  for (const [place, one] of cases.entries()) {
    const expected = refusalOf(schema, one);
    if (!expected) taken += 1;
    const { limit, refusal } = found[place];
    if (limit) limited.push({ ...one, expected, limit });
    else if (Boolean(expected) !== Boolean(refusal)) differences.push({ ...one, expected, refusal });
  }
  return { total: cases.length, taken, differences, limited };
}

// `node differential.js [seed] [count]` starts a server and prints every difference.
if (process.argv[1] === new URL(import.meta.url).pathname) {
  const { startServer } = await import('./server.js');
  const [seed = '1', count = '2500'] = process.argv.slice(2);
  const server = await startServer({ env: SETTINGS });
  try {
    const { total, taken, differences, limited } = await compare(server.graphql, Number(seed), Number(count));
    for (const { kind, query, variables, operationName, expected, refusal } of differences) {
      console.log(expected ? `TAKEN although: ${expected}` : `REFUSED with: ${refusal}`);
      console.log(`  ${kind}: ${JSON.stringify({ query, variables, operationName })}`);
    }
    console.log(`${total} requests, of which graphql-js takes ${taken}: ${differences.length} differ, ${limited.length} pass a limit`);
  } finally {
    await server.stop();
  }
}
