/** WebLLM's checks of files against subresource-integrity hashes (0.2.86, `integrity`). */
import { WebLLMError } from './errors';
import { log } from './log';

/** `sha256-…`, `sha384-…` or `sha512-…`, the hash in base64. */
export type SRIString = string;
/** By file name. */
export type FileIntegrityMap = Record<string, SRIString>;

/** What a model's files must be; those that are not named are taken as they are. */
export interface ModelIntegrity {
  config?: SRIString;
  model_lib?: SRIString;
  tokenizer?: FileIntegrityMap;
  /** Default `error`. */
  onFailure?: 'error' | 'warn';
}

/** A file is another than was expected. */
export class IntegrityError extends WebLLMError {
  constructor(
    readonly url: string,
    readonly expected: string,
    readonly actual: string,
  ) {
    super(
      'IntegrityError',
      'invalid_request',
      `Integrity check failed for ${url}: expected ${expected}, got ${actual}.`,
    );
  }
}

const ALGORITHMS: Readonly<Record<string, string>> = {
  sha256: 'SHA-256',
  sha384: 'SHA-384',
  sha512: 'SHA-512',
};

/** Throws `IntegrityError` where the data has another hash, unless that is only to be said (`warn`). */
export async function verifyIntegrity(
  data: ArrayBuffer,
  expectedSRI: SRIString,
  url: string,
  onFailure: 'error' | 'warn' = 'error',
): Promise<void> {
  const name = algorithmOf(expectedSRI);
  if (name === undefined) {
    throw new WebLLMError(
      'Error',
      'invalid_request',
      `Invalid SRI hash format: "${expectedSRI}". Expected sha256-BASE64, sha384-BASE64 or sha512-BASE64.`,
      { param: 'expectedSRI' },
    );
  }
  const hash = new Uint8Array(await crypto.subtle.digest(ALGORITHMS[name], data));
  const actual = `${name}-${btoa(String.fromCharCode(...hash))}`;
  if (actual === expectedSRI) return;
  const error = new IntegrityError(url, expectedSRI, actual);
  if (onFailure === 'error') throw error;
  log.warn(error.message);
}

/** Whether it is such a hash. */
export function isValidSRI(sri: string): boolean {
  return algorithmOf(sri) !== undefined;
}

/** As many bytes as its algorithm gives, in base64. */
const SRI =
  /^(?:(sha256)-[A-Za-z0-9+/]{43}=|(sha384)-[A-Za-z0-9+/]{64}|(sha512)-[A-Za-z0-9+/]{86}==)$/;

function algorithmOf(sri: string): string | undefined {
  const [, ...found] = SRI.exec(sri) ?? [];
  return found.find((name) => name !== undefined);
}
