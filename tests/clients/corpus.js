// Generates GraphQL requests from a schema: valid documents, and documents and variables with one or two faults in
// them. The same seed gives the same requests.
import { rawJson, stringLiteral } from './corpus-values.js';
import { documentFaults, textFaults, withOtherIgnoredCharacters } from './corpus-faults.js';
import {
  Kind,
  getNamedType,
  getNullableType,
  isAbstractType,
  isCompositeType,
  isEnumType,
  isInputObjectType,
  isLeafType,
  isListType,
  isNonNullType,
  isRequiredArgument,
  isRequiredInputField,
  parseType,
  print,
} from 'graphql';

/** A pseudorandom number generator (mulberry32). */
export function seeded(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    chance: (probability) => next() < probability,
    below: (limit) => Math.floor(next() * limit),
    pick: (items) => items[Math.floor(next() * items.length)],
    shuffled: (items) => items.map((item) => [next(), item]).sort(([a], [b]) => a - b).map(([, item]) => item),
  };
}

export const name = (value) => ({ kind: Kind.NAME, value });
export const argument = (key, value) => ({ kind: Kind.ARGUMENT, name: name(key), value });
export const variable = (key) => ({ kind: Kind.VARIABLE, name: name(key) });

/** A literal with exactly these characters. */
export const raw = (text) => ({ kind: Kind.ENUM, value: `RAW_${Buffer.from(text).toString('hex')}_` });

/** Prints a document, with its raw literals. */
export const printDocument = (document) =>
  print(document).replace(/RAW_([0-9a-f]*)_/g, (_, hex) => Buffer.from(hex, 'hex').toString());

/** The requests: `{ query, variables, operationName, kind }`, where `variables` is a JSON text. */
export function* requests(schema, seed, count) {
  const random = seeded(seed);
  for (let number = 0; number < count; number++) yield request(schema, random);
}

function request(schema, random) {
  const valid = new Valid(schema, random);
  const document = valid.document();
  const faults = [];
  const isFaulty = random.chance(0.6);
  if (isFaulty) {
    const attempts = random.chance(0.25) ? 2 : 1;
    for (const [kind, fault] of random.shuffled(Object.entries(documentFaults))) {
      if (faults.length === attempts) break;
      if (fault({ document, random, schema, valid })) faults.push(kind);
    }
  }
  let query = printDocument(document);
  if (random.chance(0.15)) query = withOtherIgnoredCharacters(query, random);
  if (random.chance(isFaulty ? 0.2 : 0.06)) {
    const [kind, fault] = random.pick(Object.entries(textFaults));
    query = fault(query, random);
    faults.push(kind);
  }
  const operations = document.definitions.filter((one) => one.kind === Kind.OPERATION_DEFINITION);
  // Subscriptions do not run over POST.
  const runnable = operations.filter((one) => one.operation !== 'subscription');
  const named = runnable.map((one) => one.name?.value).filter(Boolean);
  let operationName = operations.length > 1 ? named[0] : undefined;
  if (random.chance(0.05)) operationName = random.pick([undefined, 'Unknown', ...named]);
  return { query, variables: valid.json(), operationName, kind: faults.join('+') || 'valid' };
}

/** One document that is valid most of the time, and values for its variables. */
class Valid {
  constructor(schema, random) {
    this.schema = schema;
    this.random = random;
    this.variables = [];
    this.fragments = [];
    this.count = 0;
  }

  unique(prefix) {
    return `${prefix}${++this.count}`;
  }

  document() {
    const { random, schema } = this;
    const operation = random.chance(0.3) ? 'mutation' : 'query';
    const type = operation === 'query' ? schema.getQueryType() : schema.getMutationType();
    const selectionSet = this.selectionSet(type, 0);
    const definition = {
      kind: Kind.OPERATION_DEFINITION,
      operation,
      name: random.chance(0.5) ? name(this.unique('Operation')) : undefined,
      variableDefinitions: this.variables.map(({ definition }) => definition),
      directives: [],
      selectionSet,
    };
    return { kind: Kind.DOCUMENT, definitions: random.shuffled([definition, ...this.fragments]) };
  }

  selectionSet(type, depth) {
    const { random } = this;
    const fields = type.getFields ? Object.values(type.getFields()) : [];
    const candidates = depth >= 3 ? fields.filter((field) => isLeafType(getNamedType(field.type))) : fields;
    const count = depth === 0 ? random.pick([1, 1, 1, 2, 3]) : random.pick([1, 2, 2, 3, 4]);
    const selections = random.shuffled(candidates).slice(0, count).map((field) => this.field(field, depth));
    if (depth === 0 && type === this.schema.getQueryType() && random.chance(0.04)) {
      selections.push(this.introspection());
    }
    if (isAbstractType(type)) {
      for (const one of random.shuffled(this.schema.getPossibleTypes(type)).slice(0, 2)) {
        selections.push(this.inlineFragment(one, depth));
      }
    } else if (random.chance(0.1)) {
      selections.push(this.inlineFragment(random.chance(0.5) ? type : undefined, depth, type));
    }
    if (random.chance(0.12) && depth < 3) selections.push(this.spread(type, depth));
    if (selections.length === 0 || random.chance(0.1)) {
      selections.push({ kind: Kind.FIELD, name: name('__typename'), directives: this.directives() });
    }
    return { kind: Kind.SELECTION_SET, selections };
  }

  inlineFragment(condition, depth, type = condition) {
    return {
      kind: Kind.INLINE_FRAGMENT,
      typeCondition: condition && { kind: Kind.NAMED_TYPE, name: name(condition.name) },
      directives: this.directives(),
      selectionSet: this.selectionSet(type, depth + 1),
    };
  }

  spread(type, depth) {
    const known = this.fragments.filter((one) => one.typeCondition.name.value === type.name);
    let fragment = known.length > 0 && this.random.chance(0.5) ? this.random.pick(known) : undefined;
    if (!fragment) {
      fragment = {
        kind: Kind.FRAGMENT_DEFINITION,
        name: name(this.unique('Fragment')),
        typeCondition: { kind: Kind.NAMED_TYPE, name: name(type.name) },
        directives: [],
        selectionSet: this.selectionSet(type, depth + 1),
      };
      this.fragments.push(fragment);
    }
    return { kind: Kind.FRAGMENT_SPREAD, name: name(fragment.name.value), directives: this.directives() };
  }

  field(field, depth) {
    const { random } = this;
    const type = getNamedType(field.type);
    const hasArguments = field.args.length > 0;
    return {
      kind: Kind.FIELD,
      alias: random.chance(hasArguments ? 0.6 : 0.1) ? name(this.unique('alias')) : undefined,
      name: name(field.name),
      arguments: random
        .shuffled(field.args)
        .filter((one) => isRequiredArgument(one) || random.chance(0.35))
        .map((one) => argument(one.name, this.value(one.type, one.defaultValue !== undefined))),
      directives: this.directives(),
      selectionSet: isCompositeType(type) ? this.selectionSet(type, depth + 1) : undefined,
    };
  }

  introspection() {
    const leaf = (key) => ({ kind: Kind.FIELD, name: name(key) });
    const nested = (key, ...selections) => ({
      ...leaf(key),
      selectionSet: { kind: Kind.SELECTION_SET, selections: selections.map((one) => (one.kind ? one : leaf(one))) },
    });
    if (this.random.chance(0.5)) return nested('__schema', nested('queryType', 'name', nested('fields', 'name')));
    const key = this.value(this.schema.getType('__Schema') && nonNullString(this.schema));
    return {
      ...nested('__type', 'kind', 'name', nested('enumValues', 'name', 'isDeprecated'), nested('ofType', 'name')),
      arguments: [argument('name', key)],
    };
  }

  directives() {
    const { random } = this;
    if (!random.chance(0.06)) return [];
    const boolean = this.value(this.schema.getDirective('skip').args[0].type);
    return [{ kind: Kind.DIRECTIVE, name: name(random.pick(['skip', 'include'])), arguments: [argument('if', boolean)] }];
  }

  /** A literal or a variable of the type. */
  value(type, hasDefault = false) {
    const { random } = this;
    if (random.chance(0.3)) return this.variable(type, hasDefault);
    if (isNonNullType(type)) return this.literal(type.ofType);
    return random.chance(0.06) ? { kind: Kind.NULL } : this.literal(type);
  }

  literal(type) {
    const { random } = this;
    if (isListType(type)) {
      if (random.chance(0.1)) return this.value(getNullableType(type.ofType) && type.ofType);
      const values = Array.from({ length: random.below(4) }, () => this.value(type.ofType));
      return { kind: Kind.LIST, values };
    }
    if (isInputObjectType(type)) {
      const fields = random
        .shuffled(Object.values(type.getFields()))
        .filter((field) => isRequiredInputField(field) || random.chance(0.4))
        .map((field) => ({
          kind: Kind.OBJECT_FIELD,
          name: name(field.name),
          value: this.value(field.type, field.defaultValue !== undefined),
        }));
      return { kind: Kind.OBJECT, fields };
    }
    if (isEnumType(type)) return { kind: Kind.ENUM, value: random.pick(type.getValues()).name };
    switch (type.name) {
      case 'Boolean':
        return { kind: Kind.BOOLEAN, value: random.chance(0.5) };
      case 'Int':
        return raw(random.pick(['0', '-0', '1', '20', '100', '-1', '2147483647', '-2147483648']));
      case 'ID':
        return random.chance(0.2) ? raw(random.pick(['7', '0', '-1', '12345678901234567890'])) : raw(stringLiteral(random));
      default:
        return raw(stringLiteral(random));
    }
  }

  /** A variable that is valid where the type is expected. */
  variable(type, hasDefault) {
    const { random } = this;
    let text = String(type);
    if (isNonNullType(type) && hasDefault && random.chance(0.5)) text = String(type.ofType);
    else if (!isNonNullType(type) && random.chance(0.3)) text = `${text}!`;
    const known = this.variables.filter((one) => one.text === text);
    if (known.length > 0 && random.chance(0.3)) return variable(random.pick(known).name);
    const key = this.unique('variable');
    const hasOwnDefault = random.chance(0.2);
    // Default values contain no variables.
    const own = hasOwnDefault ? new Valid(this.schema, { ...random, chance: (p) => p !== 0.3 && random.chance(p) }) : undefined;
    const definition = {
      kind: Kind.VARIABLE_DEFINITION,
      variable: variable(key),
      type: parseType(text),
      defaultValue: own?.literal(getNullableType(type)),
      directives: [],
    };
    this.variables.push({ name: key, text, type, definition, hasOwnDefault });
    return variable(key);
  }

  /** Values of the variables as JSON text; a few are invalid. */
  json() {
    const { random } = this;
    const members = [];
    for (const { name: key, text, type, hasOwnDefault } of this.variables) {
      const isOptional = hasOwnDefault || !text.endsWith('!');
      if (random.chance(isOptional ? 0.35 : 0.04)) continue;
      const value = random.chance(0.12) ? rawJson(random) : this.jsonOf(type, !text.endsWith('!'));
      members.push(`${JSON.stringify(key)}:${value}`);
    }
    if (random.chance(0.05)) members.push(`"unknownMember":${rawJson(random)}`);
    return `{${members.join(',')}}`;
  }

  jsonOf(type, isNullable = !isNonNullType(type)) {
    const { random } = this;
    if (isNullable && random.chance(0.1)) return 'null';
    if (isNonNullType(type)) return this.jsonOf(type.ofType, false);
    if (random.chance(0.04)) return rawJson(random);
    if (isListType(type)) {
      if (random.chance(0.1)) return this.jsonOf(type.ofType);
      return `[${Array.from({ length: random.below(4) }, () => this.jsonOf(type.ofType)).join(',')}]`;
    }
    if (isInputObjectType(type)) {
      const members = random
        .shuffled(Object.values(type.getFields()))
        .filter((field) => (isRequiredInputField(field) ? !random.chance(0.04) : random.chance(0.4)))
        .map((field) => `${JSON.stringify(field.name)}:${this.jsonOf(field.type)}`);
      if (random.chance(0.05)) members.push(`"unknownMember":${rawJson(random)}`);
      return `{${members.join(',')}}`;
    }
    if (isEnumType(type)) return JSON.stringify(random.pick(type.getValues()).name);
    switch (type.name) {
      case 'Boolean':
        return random.pick(['true', 'false']);
      case 'Int':
        return random.pick(['0', '-0', '1', '2.0', '20', '1e2', '100.00', '2147483647', '-2147483648']);
      case 'ID':
        return random.pick(['"usr_x"', '"7"', '7', '-1', '7.0', '""']);
      default:
        return JSON.stringify(random.pick(['', 'ann', 'Grüße, 世界', '🦀', 'a "quoted" \\ text', 'line\nbreak', '\u0000']));
    }
  }
}

function nonNullString(schema) {
  return schema.getQueryType() && schema.getDirective('specifiedBy').args[0].type;
}
