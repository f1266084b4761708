// Fault injection for generated documents. Each fault changes a document in place and returns whether it could.
import { Kind, Lexer, Source, TokenKind, isInputObjectType, parseType, visit } from 'graphql';
import { argument, name, raw, variable } from './corpus.js';
import { randomLiteral } from './corpus-values.js';

/** All nodes of these kinds, in the document as it is. */
function nodes(document, ...kinds) {
  const found = [];
  visit(document, { enter: (node) => void (kinds.includes(node.kind) && found.push(node)) });
  return found;
}

const operations = (document) => document.definitions.filter((one) => one.kind === Kind.OPERATION_DEFINITION);
const clone = (node) => structuredClone(node);
const named = (type) => ({ kind: Kind.NAMED_TYPE, name: name(type) });
const leaf = (key) => ({ kind: Kind.FIELD, name: name(key) });
const set = (...selections) => ({ kind: Kind.SELECTION_SET, selections });
const directive = (key, ...args) => ({ kind: Kind.DIRECTIVE, name: name(key), arguments: args });
const anyLiteral = (random) => raw(randomLiteral(random));

/** Changes one of the nodes; returns false if there are none. */
function change(random, found, work) {
  if (found.length === 0) return false;
  return work(random.pick(found)) !== false;
}

const withArguments = (document) =>
  nodes(document, Kind.FIELD, Kind.DIRECTIVE).filter((one) => one.arguments?.length > 0);

const TYPES = [
  'Int', 'Int!', 'String', 'String!', 'ID', 'ID!', 'Boolean', 'Boolean!', 'Float', '[String!]', '[String!]!', '[String]', '[[String!]!]',
  '[Permission!]', '[Permission!]!', '[Permission]', 'Permission', 'UserStatus!', 'UserOrder', 'UserOrder!', 'LoginInput', 'LoginInput!',
  'User', 'Node', 'AccountEvent', 'DateTime', 'Unknown', '[Unknown!]!',
];

const DIRECTIVES = [
  (random) => directive('skip', argument('if', anyLiteral(random))),
  () => directive('include', argument('if', { kind: Kind.BOOLEAN, value: true })),
  () => directive('skip'),
  () => directive('skip', argument('unless', { kind: Kind.BOOLEAN, value: true })),
  () => directive('include', argument('if', { kind: Kind.BOOLEAN, value: true }), argument('if', { kind: Kind.BOOLEAN, value: true })),
  () => directive('include', argument('if', { kind: Kind.NULL })),
  () => directive('include', argument('if', { kind: Kind.STRING, value: 'true' })),
  () => directive('deprecated'),
  () => directive('specifiedBy', argument('url', { kind: Kind.STRING, value: 'x' })),
  () => directive('guard'),
  () => directive('unknown'),
];

export const documentFaults = {
  valueOfAnyKind: ({ document, random }) =>
    change(random, withArguments(document), (node) => {
      random.pick(node.arguments).value = anyLiteral(random);
    }),

  inputFieldOfAnyKind: ({ document, random }) =>
    change(random, nodes(document, Kind.OBJECT_FIELD), (field) => {
      field.value = anyLiteral(random);
    }),

  inputFieldTwice: ({ document, random }) =>
    change(random, nodes(document, Kind.OBJECT).filter((one) => one.fields.length > 0), (object) => {
      const copy = clone(random.pick(object.fields));
      if (random.chance(0.5)) copy.value = anyLiteral(random);
      object.fields.splice(random.below(object.fields.length + 1), 0, copy);
    }),

  inputFieldUnknown: ({ document, random }) =>
    change(random, nodes(document, Kind.OBJECT), (object) => {
      object.fields.push({ kind: Kind.OBJECT_FIELD, name: name('unknown'), value: anyLiteral(random) });
    }),

  inputFieldMissing: ({ document, random }) =>
    change(random, nodes(document, Kind.OBJECT).filter((one) => one.fields.length > 0), (object) => {
      object.fields.splice(random.below(object.fields.length), 1);
    }),

  enumAsString: ({ document, random }) =>
    change(random, nodes(document, Kind.ENUM).filter((one) => !one.value.startsWith('RAW_')), (value) => {
      Object.assign(value, raw(random.pick([`"${value.value}"`, value.value.toLowerCase(), `[${value.value}]`, '1', 'true', 'null'])));
    }),

  stringAsEnum: ({ document, random }) =>
    change(random, nodes(document, Kind.ENUM).filter((one) => one.value.startsWith('RAW_')), (value) => {
      Object.assign(value, raw(random.pick(['ann', 'ACTIVE', '[ann]', '["a"]', '7'])));
    }),

  listItemOfAnyKind: ({ document, random }) =>
    change(random, nodes(document, Kind.LIST), (list) => {
      list.values.push(anyLiteral(random));
    }),

  argumentTwice: ({ document, random }) =>
    change(random, withArguments(document), (node) => {
      node.arguments.push(clone(random.pick(node.arguments)));
    }),

  argumentUnknown: ({ document, random }) =>
    change(random, nodes(document, Kind.FIELD), (field) => {
      field.arguments = [...(field.arguments ?? []), argument('unknown', anyLiteral(random))];
    }),

  argumentMissing: ({ document, random }) =>
    change(random, withArguments(document), (node) => {
      node.arguments.splice(random.below(node.arguments.length), 1);
    }),

  fieldUnknown: ({ document, random }) =>
    change(random, nodes(document, Kind.SELECTION_SET), (one) => {
      one.selections.push(leaf(random.pick(['unknown', '__unknown', '__schema', 'Id', '__type'])));
    }),

  fieldOfAnotherType: ({ document, random }) =>
    change(random, nodes(document, Kind.FIELD), (field) => {
      field.name = name(random.pick(['id', 'username', 'nodes', 'user', 'errors', 'roles', 'code', '__typename']));
    }),

  leafWithSelection: ({ document, random }) =>
    change(random, nodes(document, Kind.FIELD).filter((one) => !one.selectionSet), (field) => {
      field.selectionSet = set(leaf('id'));
    }),

  objectWithoutSelection: ({ document, random }) =>
    change(random, nodes(document, Kind.FIELD).filter((one) => one.selectionSet), (field) => {
      field.selectionSet = undefined;
    }),

  aliasOfAnother: ({ document, random }) =>
    change(random, nodes(document, Kind.SELECTION_SET).filter((one) => one.selections.length > 1), (one) => {
      const fields = one.selections.filter((selection) => selection.kind === Kind.FIELD);
      if (fields.length < 2) return false;
      const [first, second] = random.shuffled(fields);
      first.alias = name((second.alias ?? second.name).value);
    }),

  fieldAgainWithOtherArguments: ({ document, random }) =>
    change(random, nodes(document, Kind.SELECTION_SET), (one) => {
      const fields = one.selections.filter((selection) => selection.kind === Kind.FIELD);
      if (fields.length === 0) return false;
      const copy = clone(random.pick(fields));
      if (random.chance(0.7) && copy.arguments?.length > 0) {
        if (random.chance(0.5)) copy.arguments.pop();
        else random.pick(copy.arguments).value = anyLiteral(random);
      }
      one.selections.push(random.chance(0.3) ? { kind: Kind.INLINE_FRAGMENT, selectionSet: set(copy) } : copy);
    }),

  conflictInFragments: ({ document, random, schema }) =>
    change(random, nodes(document, Kind.SELECTION_SET), (one) => {
      const fragment = (type, field) => ({
        kind: Kind.INLINE_FRAGMENT,
        typeCondition: named(type),
        selectionSet: set({ ...leaf(field), alias: name('same') }),
      });
      const object = () => {
        const objects = Object.values(schema.getTypeMap()).filter((type) => type.getFields && !isInputObjectType(type));
        const type = random.pick(objects.filter((type) => !type.name.startsWith('__')));
        return fragment(type.name, random.pick(Object.keys(type.getFields())));
      };
      one.selections.push(object(), object());
    }),

  conflictOnInterface: ({ document, random }) =>
    change(random, operations(document).filter((one) => one.operation === 'query'), (operation) => {
      const on = (type, field) => ({
        kind: Kind.INLINE_FRAGMENT,
        typeCondition: named(type),
        selectionSet: set({ ...leaf(field), alias: random.chance(0.8) ? name('same') : undefined }),
      });
      const pairs = [
        ['User', 'username'], ['User', 'displayName'], ['Role', 'name'], ['Role', 'builtIn'], ['Role', 'permissions'], ['Tenant', 'name'],
        ['Session', 'ip'], ['Session', 'current'], ['ApiToken', 'permissions'], ['ApiToken', 'version'], ['Node', 'id'],
      ];
      const node = { ...leaf('node'), alias: name('node9'), arguments: [argument('id', raw('"x"'))] };
      node.selectionSet = set(on(...random.pick(pairs)), on(...random.pick(pairs)));
      operation.selectionSet.selections.push(node);
    }),

  directiveAnywhere: ({ document, random }) => {
    const places = [
      Kind.FIELD, Kind.FRAGMENT_SPREAD, Kind.INLINE_FRAGMENT, Kind.OPERATION_DEFINITION, Kind.FRAGMENT_DEFINITION, Kind.VARIABLE_DEFINITION,
    ];
    return change(random, nodes(document, ...places), (node) => {
      if (node.kind === Kind.OPERATION_DEFINITION) node.name ??= name('Named');
      node.directives = [...(node.directives ?? []), random.pick(DIRECTIVES)(random)];
    });
  },

  directiveTwice: ({ document, random }) =>
    change(random, nodes(document, Kind.FIELD, Kind.INLINE_FRAGMENT), (node) => {
      const one = directive(random.pick(['skip', 'include']), argument('if', { kind: Kind.BOOLEAN, value: true }));
      const other = random.chance(0.3) ? directive('include', argument('if', { kind: Kind.BOOLEAN, value: false })) : clone(one);
      node.directives = [...(node.directives ?? []), one, other];
    }),

  variableOfAnotherType: ({ document, random }) =>
    change(random, nodes(document, Kind.VARIABLE_DEFINITION), (definition) => {
      definition.type = parseType(random.pick(TYPES));
    }),

  variableNullability: ({ document, random }) =>
    change(random, nodes(document, Kind.VARIABLE_DEFINITION), (definition) => {
      const { type } = definition;
      definition.type = type.kind === Kind.NON_NULL_TYPE ? type.type : { kind: Kind.NON_NULL_TYPE, type };
    }),

  variableInList: ({ document, random }) =>
    change(random, nodes(document, Kind.VARIABLE_DEFINITION), (definition) => {
      definition.type = { kind: Kind.LIST_TYPE, type: definition.type };
    }),

  variableDefault: ({ document, random }) =>
    change(random, nodes(document, Kind.VARIABLE_DEFINITION), (definition) => {
      definition.defaultValue = anyLiteral(random);
    }),

  variableUndefined: ({ document, random }) =>
    change(random, operations(document).filter((one) => one.variableDefinitions?.length > 0), (operation) => {
      operation.variableDefinitions.splice(random.below(operation.variableDefinitions.length), 1);
    }),

  variableUnused: ({ document, random }) =>
    change(random, operations(document), (operation) => {
      operation.variableDefinitions = [
        ...(operation.variableDefinitions ?? []),
        { kind: Kind.VARIABLE_DEFINITION, variable: variable('unused'), type: parseType(random.pick(TYPES)) },
      ];
    }),

  variableTwice: ({ document, random }) =>
    change(random, operations(document).filter((one) => one.variableDefinitions?.length > 0), (operation) => {
      operation.variableDefinitions.push(clone(random.pick(operation.variableDefinitions)));
    }),

  variableElsewhere: ({ document, random, valid }) =>
    change(random, withArguments(document), (node) => {
      if (valid.variables.length === 0) return false;
      random.pick(node.arguments).value = variable(random.pick(valid.variables).name);
    }),

  variableInInputObject: ({ document, random, valid }) =>
    change(random, nodes(document, Kind.OBJECT_FIELD), (field) => {
      if (valid.variables.length === 0) return false;
      field.value = variable(random.pick(valid.variables).name);
    }),

  fragmentUnused: ({ document, random }) => {
    const type = random.pick(['User', 'Query', 'Node', 'Role', 'AccountEvent', 'Unknown', 'LoginInput', 'Permission', 'String']);
    document.definitions.push({
      kind: Kind.FRAGMENT_DEFINITION, name: name('Unused'), typeCondition: named(type), selectionSet: set(leaf('__typename')),
    });
    return true;
  },

  fragmentTwice: ({ document, random }) =>
    change(random, document.definitions.filter((one) => one.kind === Kind.FRAGMENT_DEFINITION), (fragment) => {
      document.definitions.push(clone(fragment));
    }),

  fragmentUnknown: ({ document, random }) =>
    change(random, nodes(document, Kind.SELECTION_SET), (one) => {
      one.selections.push({ kind: Kind.FRAGMENT_SPREAD, name: name('Unknown') });
    }),

  fragmentCycle: ({ document, random }) =>
    change(random, document.definitions.filter((one) => one.kind === Kind.FRAGMENT_DEFINITION), (fragment) => {
      const others = document.definitions.filter((one) => one.kind === Kind.FRAGMENT_DEFINITION);
      fragment.selectionSet.selections.push({ kind: Kind.FRAGMENT_SPREAD, name: name(random.pick(others).name.value) });
    }),

  fragmentOnAnotherType: ({ document, random }) =>
    change(random, nodes(document, Kind.FRAGMENT_DEFINITION, Kind.INLINE_FRAGMENT), (fragment) => {
      const types = ['User', 'Role', 'Node', 'Query', 'Mutation', 'AccountEvent', 'SessionEnded', 'LoginInput', 'Permission', 'String', 'Unknown'];
      fragment.typeCondition = named(random.pick(types));
    }),

  spreadImpossible: ({ document, random }) =>
    change(random, nodes(document, Kind.SELECTION_SET), (one) => {
      const types = ['User', 'Role', 'Node', 'Query', 'AccountEvent', 'SessionEnded', 'LoginPayload', 'UserOrder', 'OrderDirection', 'ID', 'Unknown'];
      one.selections.push({
        kind: Kind.INLINE_FRAGMENT, typeCondition: named(random.pick(types)), selectionSet: set(leaf('__typename')),
      });
    }),

  operationAnonymousAndNamed: ({ document, random }) => {
    const second = { kind: Kind.OPERATION_DEFINITION, operation: 'query', selectionSet: set(leaf('__typename')) };
    if (random.chance(0.6)) second.name = name(random.pick(['Second', 'Operation1', 'Operation2']));
    document.definitions.push(second);
    return true;
  },

  subscriptionRules: ({ document, random }) => {
    for (const operation of operations(document)) operation.name ??= name('First');
    const events = { ...leaf('accountEvents'), selectionSet: set(leaf('__typename')) };
    const spread = { kind: Kind.INLINE_FRAGMENT, selectionSet: set(clone(events)) };
    const selections = random.pick([
      [events],
      [events, { ...clone(events), alias: name('again') }],
      [events, leaf('__typename')],
      [leaf('__typename')],
      [events, clone(events)],
      [spread],
      [spread, { ...clone(events), alias: name('again') }],
      [{ ...events, directives: [directive('skip', argument('if', { kind: Kind.BOOLEAN, value: true }))] }],
      [{ ...events, directives: [directive('include', argument('if', variable('unknown')))] }],
      [{ ...leaf('__schema'), selectionSet: set({ ...leaf('queryType'), selectionSet: set(leaf('name')) }) }],
      [{ ...events, selectionSet: set(leaf('at')) }],
    ]);
    document.definitions.push({
      kind: Kind.OPERATION_DEFINITION, operation: 'subscription', name: name('Events'), selectionSet: set(...selections),
    });
    return true;
  },

  typeDefinition: ({ document, random }) => {
    const definitions = [
      { kind: Kind.SCALAR_TYPE_DEFINITION, name: name('Extra') },
      { kind: Kind.OBJECT_TYPE_EXTENSION, name: name('Query'), fields: [], directives: [directive('unknown')] },
    ];
    document.definitions.push(random.pick(definitions));
    return true;
  },
};

const IGNORED = [' ', '\n', '\r\n', '\r', '\t', ',', ',,', '\ufeff', '# comment\n', '#\r', '# { " """ (\n', ' \t ', '#🦀\n'];
const STRAY = ['{', '}', '(', ')', '[', ']', '$', '!', '@', '&', '|', '=', ':', '...', '..', '"', '"""', '""""', '\\', '?', '%', '~', ';', '\u0000',
  '\u0007', '\u00a0', '\u2028', 'é', '🦀', '-', '+', '.', '1', '0', 'on', 'fragment', 'query', 'null', 'true', '`', "'", '\\u0041', '\u200b'];

/** The tokens of a text; undefined if it contains anything else. */
function tokens(text) {
  const lexer = new Lexer(new Source(text));
  const found = [];
  try {
    while (lexer.advance().kind !== TokenKind.EOF) found.push(text.slice(lexer.token.start, lexer.token.end));
  } catch {
    return undefined;
  }
  return found;
}

function onTokens(work) {
  return (text, random) => {
    const found = tokens(text);
    return found ? work(found, random).join(' ') : text;
  };
}

/** The same document with other white space, commas and comments; not a fault. */
export function withOtherIgnoredCharacters(text, random) {
  const found = tokens(text);
  if (!found) return text;
  return (random.chance(0.3) ? '\ufeff' : '') + found.map((token) => token + random.pick(IGNORED)).join('');
}

export const textFaults = {
  tokenGone: onTokens((found, random) => found.toSpliced(random.below(found.length), 1)),
  tokenTwice: onTokens((found, random) => {
    const place = random.below(found.length);
    return found.toSpliced(place, 0, found[place]);
  }),
  tokensSwapped: onTokens((found, random) => {
    const [one, other] = [random.below(found.length), random.below(found.length)];
    return found.with(one, found[other]).with(other, found[one]);
  }),
  tokenOfAnotherKind: onTokens((found, random) => found.with(random.below(found.length), random.pick(STRAY))),
  tokensJoined(text, random) {
    const found = tokens(text);
    if (!found) return text;
    const place = random.below(found.length);
    return found.map((token, at) => token + (at === place ? '' : ' ')).join('');
  },
  strayCharacters(text, random) {
    const place = random.below(text.length + 1);
    return text.slice(0, place) + random.pick(STRAY) + text.slice(place);
  },
  cutOff: (text, random) => text.slice(0, 1 + random.below(text.length)),
  charactersGone(text, random) {
    const place = random.below(text.length);
    return text.slice(0, place) + text.slice(place + 1 + random.below(3));
  },
  numberInSomePlace: (text, random) => text.replace(/\b\d+\b/, () => randomLiteral(random)),
};
