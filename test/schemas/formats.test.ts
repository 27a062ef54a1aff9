/** Formats, against those of ajv-formats: what can be written is what it takes. */

import Ajv from 'ajv/dist/2020';
import addFormats from 'ajv-formats';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canBeWritten, grammarOf } from './followed';

const ajv = addFormats(new Ajv({ strict: false, logger: false }));

const EXAMPLES: Readonly<Record<string, readonly string[]>> = {
  date: ['2024-02-29', '1999-12-31', '2023-02-28', '2000-04-30'],
  time: ['23:59:59Z', '00:00:00.5+01:30', '23:59:60Z', '12:00:00z'],
  'date-time': ['2024-02-29T23:59:60Z', '1999-12-31t00:00:00.123-08:00'],
  'iso-time': ['23:59:59', '00:00:00.5+01:30'],
  'iso-date-time': ['2024-02-29T23:59:59', '1999-12-31t00:00:00.123-08:00'],
  duration: ['P1Y2M3DT4H5M6S', 'P4W', 'PT0S', 'P1D'],
  uri: ['https://a.example:80/b/c?d=e#f', 'mailto:a@b.example', 'urn:a:b', 'http://[::1]/%41'],
  'uri-reference': ['../a/b?c#d', '//a.example/b', '#a', '', 'https://a.example'],
  'uri-template': ['/a/{b}{?c,d*}', '{+a:3}', 'a{/b}'],
  url: ['https://a.example.com/b?c', 'ftp://8.8.8.8:21/', 'http://u:p@a-b.example'],
  email: ['ada.l@sea-1.example', 'a+b@c.d', "o'b@a.example"],
  hostname: ['a-1.example', 'a', 'xn--bcher-kva.example.', '1.2'],
  ipv4: ['1.2.3.4', '255.0.10.99'],
  ipv6: ['::1', '2001:db8::ff00:42:8329', '::ffff:1.2.3.4', '1:2:3:4:5:6:7:8'],
  uuid: ['123e4567-e89b-12d3-a456-426614174000', '00000000-0000-0000-0000-00000000000F'],
  'json-pointer': ['/a/~0~1b', '', '/'],
  'json-pointer-uri-fragment': ['#/a/%20/~1', '#'],
  'relative-json-pointer': ['0#', '1/a/b', '12'],
  byte: ['YWJj', 'YWI=', 'YQ==', ''],
};

/** Of a time zone; RFC 3339 has `+01:30` alone. */
const SHORT_OFFSET = /[+-]\d\d(\d\d)?$/;

/** What ajv-formats takes beside, and the format's own document does not. */
const BESIDE: Readonly<Record<string, RegExp>> = {
  time: SHORT_OFFSET,
  'iso-time': SHORT_OFFSET,
  'date-time': /\s|[+-]\d\d(\d\d)?$/, // a space in place of the T, too
  'iso-date-time': /\s|[+-]\d\d(\d\d)?$/,
  uri: /./, // its expressions take quotation marks, and a colon nearly everywhere; RFC 3986 does not
  'uri-reference': /./,
  uuid: /^urn:/i,
  hostname: /^.{254,}$/,
};

/** Characters that decide something in some format. */
const CHARACTERS = [...'0123456789abfgzTtZ-+:./@#?%~=_[]{} é"\\'];

/** Places where a text is changed: a character is left out or put in. */
const changes = fc.array(
  fc.record({
    at: fc.nat(),
    drop: fc.nat(1),
    put: fc.option(fc.constantFrom(...CHARACTERS), { nil: '' }),
  }),
  { maxLength: 3 },
);

describe('what can be written of a format is what ajv-formats takes', () => {
  it.each(Object.keys(EXAMPLES))('%s', async (format) => {
    const schema = { type: 'string', format };
    const isValid = ajv.compile(schema);
    const grammar = await grammarOf(schema);
    for (const text of EXAMPLES[format]) {
      expect([isValid(text), canBeWritten(grammar, text)], text).toEqual([true, true]);
    }
    await fc.assert(
      fc.property(fc.constantFrom(...EXAMPLES[format]), changes, (example, edits) => {
        const text = edits.reduce((before, { at, drop, put }) => {
          const from = at % (before.length + 1);
          return before.slice(0, from) + put + before.slice(from + drop);
        }, example);
        const isWritten = canBeWritten(grammar, text);
        if (isWritten || !isValid(text) || BESIDE[format]?.test(text) !== true) {
          expect(isWritten, JSON.stringify(text)).toBe(isValid(text));
        }
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    ['uuid', 'urn:uuid:123e4567-e89b-12d3-a456-426614174000'],
    ['hostname', 'a.'.repeat(127)],
    ['date-time', '2024-02-29 23:59:59Z'],
    ['uri', 'https://:a.example:80/'],
  ])('but for %s, where it takes %s', async (format, text) => {
    expect(ajv.compile({ type: 'string', format })(text)).toBe(true);
    expect(BESIDE[format].test(text)).toBe(true);
    expect(canBeWritten(await grammarOf({ type: 'string', format }), text)).toBe(false);
  });
});
