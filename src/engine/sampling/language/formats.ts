/**
 * The formats of strings: those that ajv-formats 3 knows, as it reads them (its regular expressions
 * are followed where the standard has none simpler), and stricter where the standard named beside
 * them is; and IRIs. A format that is not here constrains nothing, as in any validator that does not
 * know it.
 */
import { Pace } from '../pace';
import type { Dfa } from './dfa';
import { patternLanguage } from './languages';

/** A format's language. */
export interface Format {
  pattern: string;
  ignoreCase?: boolean;
  /** Most code points; in the pattern that would be a state for each. */
  maxLength?: number;
}

/** Full-date of RFC 3339, in the calendar: 29 February in leap years only. */
const DATE = [
  '\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])',
  '(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)',
  '02-(?:0[1-9]|1\\d|2[0-8]))',
  '(?:\\d\\d(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)-02-29',
].join('|');
/** Full-time of RFC 3339. Leap seconds are written in UTC. */
const TIME =
  '(?:(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?(?:Z|[+-](?:[01]\\d|2[0-3]):[0-5]\\d)' +
  '|23:59:60(?:\\.\\d+)?(?:Z|[+-]00:00))';

const OCTET = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)';
const IPV4 = `(?:${OCTET}\\.){3}${OCTET}`;
const H16 = '[0-9a-f]{1,4}';
/** The nine forms of RFC 3986. */
const IPV6 = [
  `(?:${H16}:){6}(?:${H16}:${H16}|${IPV4})`,
  `::(?:${H16}:){5}(?:${H16}:${H16}|${IPV4})`,
  `(?:${H16})?::(?:${H16}:){4}(?:${H16}:${H16}|${IPV4})`,
  `(?:(?:${H16}:){0,1}${H16})?::(?:${H16}:){3}(?:${H16}:${H16}|${IPV4})`,
  `(?:(?:${H16}:){0,2}${H16})?::(?:${H16}:){2}(?:${H16}:${H16}|${IPV4})`,
  `(?:(?:${H16}:){0,3}${H16})?::${H16}:(?:${H16}:${H16}|${IPV4})`,
  `(?:(?:${H16}:){0,4}${H16})?::(?:${H16}:${H16}|${IPV4})`,
  `(?:(?:${H16}:){0,5}${H16})?::${H16}`,
  `(?:(?:${H16}:){0,6}${H16})?::`,
].join('|');

// URIs, by RFC 3986 (appendix A).
const ENCODED = '%[0-9a-f]{2}';
const UNRESERVED = 'a-z0-9\\-._~';
const DELIMITERS = "!$&'()*+,;=";
const PCHAR = `(?:[${UNRESERVED}${DELIMITERS}:@]|${ENCODED})`;
const HOST =
  `(?:\\[(?:${IPV6}|v[0-9a-f]+\\.[${UNRESERVED}${DELIMITERS}:]+)\\]` +
  `|(?:[${UNRESERVED}${DELIMITERS}]|${ENCODED})*)`;
const AUTHORITY = `(?:(?:[${UNRESERVED}${DELIMITERS}:]|${ENCODED})*@)?${HOST}(?::\\d*)?`;
const TAIL = `(?:\\?(?:${PCHAR}|[/?])*)?(?:#(?:${PCHAR}|[/?])*)?`;
const HIERARCHY = `(?://${AUTHORITY}(?:/${PCHAR}*)*|/(?:${PCHAR}+(?:/${PCHAR}*)*)?|${PCHAR}+(?:/${PCHAR}*)*)`;
/** A reference's first name holds no colon: that would end a scheme. */
const FIRST = `(?:[${UNRESERVED}${DELIMITERS}@]|${ENCODED})+`;
const SCHEME = '[a-z][a-z0-9+\\-.]*:';
const ABSOLUTE = `${SCHEME}(?:${HIERARCHY})?`;
const RELATIVE = `(?://${AUTHORITY}(?:/${PCHAR}*)*|/(?:${PCHAR}+(?:/${PCHAR}*)*)?|${FIRST}(?:/${PCHAR}*)*)?`;
/** What RFC 3987 adds. */
const BEYOND_ASCII = '\\u{a0}-\\u{d7ff}\\u{f900}-\\u{fdcf}\\u{fdf0}-\\u{ffef}\\u{10000}-\\u{effff}';
const international = (pattern: string) =>
  pattern.replaceAll(`[${UNRESERVED}`, `[${BEYOND_ASCII}${UNRESERVED}`);

const LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
const ATOM = "[a-z0-9!#$%&'*+/=?^_`{|}~-]+";
const POINTER = '(?:/(?:[^~/]|~0|~1)*)*';

const FORMATS: Readonly<Record<string, Format>> = {
  date: { pattern: `^(?:${DATE})$` },
  time: { pattern: `^${TIME}$`, ignoreCase: true },
  'date-time': { pattern: `^(?:${DATE})T${TIME}$`, ignoreCase: true },
  'iso-time': {
    pattern: `^(?:${TIME}|(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?)$`,
    ignoreCase: true,
  },
  'iso-date-time': {
    pattern: `^(?:${DATE})T(?:${TIME}|(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d+)?)$`,
    ignoreCase: true,
  },
  // RFC 3339, appendix A.
  duration: {
    pattern: '^P(?!$)((\\d+Y)?(\\d+M)?(\\d+D)?(T(?=\\d)(\\d+H)?(\\d+M)?(\\d+S)?)?|(\\d+W)?)$',
  },
  uri: { pattern: `^${SCHEME}${HIERARCHY}${TAIL}$`, ignoreCase: true },
  'uri-reference': {
    pattern: `^(?:${ABSOLUTE}|${RELATIVE})${TAIL}$`,
    ignoreCase: true,
  },
  iri: { pattern: international(`^${SCHEME}${HIERARCHY}${TAIL}$`), ignoreCase: true },
  'iri-reference': {
    pattern: international(`^(?:${ABSOLUTE}|${RELATIVE})${TAIL}$`),
    ignoreCase: true,
  },
  // RFC 6570.
  'uri-template': {
    pattern:
      '^(?:(?:[^\\x00-\\x20"\'<>%\\\\^`{|}]|%[0-9a-f]{2})|\\{[+#./;?&=,!@|]?(?:[a-z0-9_]|%[0-9a-f]{2})+(?::[1-9][0-9]{0,3}|\\*)?(?:,(?:[a-z0-9_]|%[0-9a-f]{2})+(?::[1-9][0-9]{0,3}|\\*)?)*\\})*$',
    ignoreCase: true,
  },
  url: {
    pattern:
      '^(?:https?|ftp):\\/\\/(?:\\S+(?::\\S*)?@)?(?:(?!(?:10|127)(?:\\.\\d{1,3}){3})(?!(?:169\\.254|192\\.168)(?:\\.\\d{1,3}){2})(?!172\\.(?:1[6-9]|2\\d|3[0-1])(?:\\.\\d{1,3}){2})(?:[1-9]\\d?|1\\d\\d|2[01]\\d|22[0-3])(?:\\.(?:1?\\d{1,2}|2[0-4]\\d|25[0-5])){2}(?:\\.(?:[1-9]\\d?|1\\d\\d|2[0-4]\\d|25[0-4]))|(?:(?:[a-z0-9\\u{00a1}-\\u{ffff}]+-)*[a-z0-9\\u{00a1}-\\u{ffff}]+)(?:\\.(?:[a-z0-9\\u{00a1}-\\u{ffff}]+-)*[a-z0-9\\u{00a1}-\\u{ffff}]+)*(?:\\.(?:[a-z\\u{00a1}-\\u{ffff}]{2,})))(?::\\d{2,5})?(?:\\/[^\\s]*)?$',
    ignoreCase: true,
  },
  email: {
    pattern: `^${ATOM}(?:\\.${ATOM})*@(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\\.)+[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$`,
    ignoreCase: true,
  },
  hostname: { pattern: `^${LABEL}(?:\\.${LABEL})*\\.?$`, ignoreCase: true, maxLength: 253 },
  ipv4: { pattern: `^${IPV4}$` },
  ipv6: { pattern: `^(?:${IPV6})$`, ignoreCase: true },
  // RFC 4122.
  uuid: { pattern: '^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$', ignoreCase: true },
  // RFC 6901.
  'json-pointer': { pattern: `^${POINTER}$` },
  'json-pointer-uri-fragment': {
    pattern: "^#(?:/(?:[a-z0-9_\\-.!$&'()*+,;:=@]|%[0-9a-f]{2}|~0|~1)*)*$",
    ignoreCase: true,
  },
  'relative-json-pointer': { pattern: `^(?:0|[1-9][0-9]*)(?:#|${POINTER})$` },
  // Base64, in the OpenAPI specification.
  byte: { pattern: '^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$' },
};

/** What a format of strings says; undefined where it says nothing. */
export function formatOf(name: string): Format | undefined {
  return Object.hasOwn(FORMATS, name) ? FORMATS[name] : undefined;
}

const languages = new Map<string, Promise<Dfa>>();

/** A format's language, made once. Its `maxLength` is not part of it. */
export function formatLanguage({ pattern, ignoreCase }: Format): Promise<Dfa> {
  const known =
    languages.get(pattern) ?? patternLanguage(pattern, new Pace(Infinity), { ignoreCase });
  languages.set(pattern, known);
  return known;
}
