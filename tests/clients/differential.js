// Compares the validation of generated GraphQL requests by accountd with that of graphql-js.
import { readFile } from 'node:fs/promises';
import { buildSchema, getOperationAST, getVariableValues, parse, validate } from 'graphql';
import { requests } from './corpus.js';
import { HANDWRITTEN } from './corpus-handwritten.js';

/** Accepted differences: how to recognize them, and the reason. */
export const KNOWN_DIFFERENCES = [];

/** All limits at their maximum, because the comparison is about validity. */
export const SETTINGS = {
  ACCOUNTD_GRAPHQL__MAX_BATCH: '10',
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
  // No registrations, and the cheapest password hashes.
  ACCOUNTD_REGISTRATION__MODE: 'closed',
  ACCOUNTD_PASSWORD__ARGON2_MEMORY_KIB: '12288',
  ACCOUNTD_PASSWORD__ARGON2_ITERATIONS: '3',
};

const PER_REQUEST = 10;
const BYTES_PER_REQUEST = 24_000;
const CONCURRENCY = 4;

/** The requests to compare: handwritten ones and `count` generated ones. */
export async function corpus(seed, count) {
  const schema = buildSchema(await readFile(new URL('../../schema.graphql', import.meta.url), 'utf8'));
  const cases = [...HANDWRITTEN, ...requests(schema, seed, count)].filter(({ query }) => query.trim() !== '');
  return { schema, cases };
}

/** Why graphql-js refuses a request; undefined if it accepts it. */
export function expectedRefusal(schema, { query, variables = '{}', operationName }) {
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
    // It throws if a variable includes a subscription's only field (invalid by GraphQL section 5.2.4.1).
    return error.message;
  }
  const operation = getOperationAST(document, operationName);
  if (!operation) return 'no operation of this name, or several';
  const { errors } = getVariableValues(schema, operation.variableDefinitions ?? [], JSON.parse(variables));
  return errors?.[0].message;
}

/** The server's verdict on each case: the message of its refusal, or undefined if it runs the request. */
export async function verdicts(uri, cases) {
  const answers = new Array(cases.length);
  const batches = [];
  let batch = [];
  let bytes = 0;
  for (const [index, request] of cases.entries()) {
    const body = bodyOf(request);
    if (batch.length === PER_REQUEST || (batch.length > 0 && bytes + body.length > BYTES_PER_REQUEST)) {
      batches.push(batch);
      [batch, bytes] = [[], 0];
    }
    batch.push({ index, body });
    bytes += body.length;
  }
  if (batch.length > 0) batches.push(batch);
  await Promise.all(Array.from({ length: CONCURRENCY }, async () => {
    for (let next = batches.pop(); next; next = batches.pop()) {
      const results = await send(uri, `[${next.map(({ body }) => body).join(',')}]`);
      for (const [at, { index, body }] of next.entries()) {
        // Requests of one batch share the limits, so a limited one is sent again alone.
        const answer = Array.isArray(results) && !isLimited(results[at]) ? results[at] : await send(uri, body);
        answers[index] = verdict(answer);
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

async function send(uri, body) {
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

/** Compares the server at `uri` with graphql-js on the corpus of the seed. */
export async function compare(uri, seed, count) {
  const { schema, cases } = await corpus(seed, count);
  const found = await verdicts(uri, cases);
  const [differences, limited] = [[], []];
  let accepted = 0;
  for (const [index, request] of cases.entries()) {
    const expected = expectedRefusal(schema, request);
    if (!expected) accepted += 1;
    const { limit, refusal } = found[index];
    if (limit) limited.push({ ...request, expected, limit });
    else if (Boolean(expected) !== Boolean(refusal)) differences.push({ ...request, expected, refusal });
  }
  return { total: cases.length, accepted, differences, limited };
}

// `node differential.js [seed] [count]` starts a server and prints every difference.
if (process.argv[1] === new URL(import.meta.url).pathname) {
  const { startServer } = await import('./server.js');
  const [seed = '1', count = '2500'] = process.argv.slice(2);
  const server = await startServer({ env: SETTINGS });
  try {
    const { total, accepted, differences, limited } = await compare(server.graphql, Number(seed), Number(count));
    for (const { kind, query, variables, operationName, expected, refusal } of differences) {
      console.log(expected ? `ACCEPTED although: ${expected}` : `REFUSED with: ${refusal}`);
      console.log(`  ${kind}: ${JSON.stringify({ query, variables, operationName })}`);
    }
    console.log(`${total} requests, of which graphql-js accepts ${accepted}: ${differences.length} differ, ${limited.length} exceed a limit`);
  } finally {
    await server.stop();
  }
}
