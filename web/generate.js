// Generates `console/generated.ts` from the server's schema and the console's operations: types, documents, guards and
// descriptions. An operation that is invalid for the schema fails the build.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { codegen } from '@graphql-codegen/core';
import * as typedDocumentNode from '@graphql-codegen/typed-document-node';
import * as operations from '@graphql-codegen/typescript-operations';
import { buildASTSchema, Kind, parse, validate, valueFromASTUntyped } from 'graphql';

const read = (path) => parse(readFileSync(new URL(path, import.meta.url), 'utf8'));

const schema = read('../schema.graphql');
const names = readdirSync(new URL('console/operations', import.meta.url)).sort();
const documents = names.map((name) => ({ location: name, document: read(`console/operations/${name}`) }));

const allDocuments = { kind: Kind.DOCUMENT, definitions: documents.flatMap(({ document }) => document.definitions) };
const errors = validate(buildASTSchema(schema), allDocuments);
if (errors.length > 0) {
  console.error(errors.map(({ message }) => `console/operations: ${message}`).join('\n'));
  process.exit(1);
}

/** The guard of every guarded field, by coordinate such as `Query.users`. */
function guards() {
  const entries = schema.definitions
    .filter(({ kind }) => kind === Kind.OBJECT_TYPE_DEFINITION)
    .flatMap((type) => type.fields.map((field) => ({ name: `${type.name.value}.${field.name.value}`, field })))
    .flatMap(({ name, field }) => {
      const guard = field.directives.find((directive) => directive.name.value === 'guard');
      if (!guard) return [];
      const values = guard.arguments.map(({ name, value }) => [name.value, valueFromASTUntyped(value)]);
      return [[name, Object.fromEntries(values)]];
    });
  return `export const guards = ${JSON.stringify(Object.fromEntries(entries), null, 2)} as const;\n`;
}

/** The descriptions of an enum's values, which the console shows. */
function descriptions(name) {
  const { values } = schema.definitions.find((definition) => definition.name?.value === name);
  const texts = Object.fromEntries(values.map((value) => [value.name.value, value.description.value]));
  const constant = `${name[0].toLowerCase()}${name.slice(1)}Descriptions`;
  return `export const ${constant} = ${JSON.stringify(texts, null, 2)} as const;\n`;
}

const text = await codegen({
  filename: 'generated.ts',
  schema,
  documents,
  config: {
    scalars: { DateTime: 'string', ID: 'string' },
    enumsAsTypes: true,
    useTypeImports: true,
    skipTypename: true,
  },
  plugins: [{ operations: {} }, { typedDocumentNode: {} }],
  pluginMap: { operations, typedDocumentNode },
});
const parts = [text, guards(), descriptions('Permission'), descriptions('PasswordViolation')];
writeFileSync(new URL('console/generated.ts', import.meta.url), parts.join('\n'));
