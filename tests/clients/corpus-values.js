// Values for generated requests: GraphQL literals and JSON of every kind.

const STRINGS = [
  '""',
  '"ann"',
  '"a \\" b"',
  '"\\\\ \\/ \\b \\f \\n \\r \\t"',
  '"\\u00e9"',
  '"\\uD83D\\uDE00"',
  '"\\u{1F600}"',
  '"\\u{41}"',
  '"🦀 世界"',
  '"{ [ ( # , $x ..."',
  '"""block"""',
  '"""\n  two\n    lines\n"""',
  '"""an \\""" inside"""',
  '"""" quoted"""',
  '"""\\u0041 is no escape here"""',
  '"""back\\slash"""',
  '"tab\tinside"',
];

const BROKEN_STRINGS = [
  '"\\x"',
  '"\\u12"',
  '"\\uD800"',
  '"\\uDC00\\uD800"',
  '"\\u{}"',
  '"\\u{110000}"',
  '"\\u{D800}"',
  '"\\u{00000000041}"',
  '"\\u{1F600"',
  '"line\nbreak"',
  '"no end',
  '"""no end',
  '""""',
  '"""x"',
  '"nul\u0000"',
  '"bell\u0007"',
  "'single'",
];

const NUMBERS = [
  '0',
  '-0',
  '1',
  '-1',
  '2.0',
  '1.5',
  '1e3',
  '1E+3',
  '1.0e-2',
  '2147483647',
  '2147483648',
  '-2147483648',
  '-2147483649',
  '9007199254740993',
  '123456789012345678901234567890',
];

const BROKEN_NUMBERS = ['00', '01', '-', '1.', '.5', '1e', '1e+', '+1', '0x1F', '1_000', '1a', '1-1', '1.2.3', '1$', '--1', '1.e1'];

const OTHERS = [
  'true',
  'false',
  'null',
  'ACTIVE',
  'USERS_READ',
  'unknown',
  'True',
  '[]',
  '[1]',
  '["a"]',
  '[null]',
  '[[]]',
  '[[1], ["a"]]',
  '{}',
  '{a: 1}',
  '{a: {b: [1]}}',
  '{field: CREATED_AT}',
  '{field: "CREATED_AT"}',
  '{field: CREATED_AT, field: USERNAME}',
  '$unknown',
];

/** A GraphQL string literal in one of its forms. */
export const stringLiteral = (random) => random.pick(STRINGS);

/** A GraphQL literal; sometimes an invalid one. */
export function randomLiteral(random) {
  const kind = random.below(10);
  if (kind < 3) return random.pick(OTHERS);
  if (kind < 6) return random.pick(NUMBERS);
  if (kind < 8) return random.pick(STRINGS);
  return random.pick(kind === 8 ? BROKEN_STRINGS : BROKEN_NUMBERS);
}

const JSON_TEXTS = [
  'null',
  'true',
  'false',
  '0',
  '-0',
  '-0.0',
  '1',
  '2.0',
  '1e3',
  '1.5',
  '-1e-2',
  '2147483647.0',
  '2147483648',
  '-2147483649',
  '9007199254740991',
  '1e20',
  '""',
  '"1"',
  '"true"',
  '"null"',
  '"ACTIVE"',
  '"active"',
  '"USERS_READ"',
  '"🦀"',
  '[]',
  '[null]',
  '[1]',
  '["a"]',
  '["USERS_READ", "USERS_READ"]',
  '[["USERS_READ"]]',
  '{}',
  '{"a": 1}',
  '{"field": "CREATED_AT"}',
  '{"field": "CREATED_AT", "direction": null}',
  '{"field": null}',
  '{"userId": 7, "roles": "admin"}',
  '{"name": ["a"]}',
];

/** Any JSON text. */
export const rawJson = (random) => random.pick(JSON_TEXTS);
