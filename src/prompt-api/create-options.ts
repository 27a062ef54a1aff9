import type { Slo } from '../client';
import {
  type Dictionary,
  dictionary,
  enumeration,
  isObject,
  optionalSequence,
  optionalSignal,
} from './idl';
import { type PromptMessage, readPrompt, TYPES } from './prompt';
import { readSampling, type Sampling } from './sampling';
import { checkNames, readTool, type SessionTool } from './tools';
import type { CreateMonitor, LanguageModelMessageType } from './types';

const INPUTS: readonly LanguageModelMessageType[] = ['text', 'image', 'tool-call', 'tool-response'];
const OUTPUTS: readonly LanguageModelMessageType[] = ['text', 'tool-call'];
const MAX_APP = 64;

/** What `availability()` is asked about. */
export interface CoreOptions {
  sampling: Sampling;
  tools: readonly SessionTool[];
  /** A type of input or output that no model takes or gives. */
  unsupported: LanguageModelMessageType | undefined;
  /** Its prompts may hold images. */
  images: boolean;
}

export interface CreateOptions extends CoreOptions {
  initialPrompts: readonly PromptMessage[];
  monitor?: (monitor: CreateMonitor) => void;
  signal?: AbortSignal;
  slo?: Slo;
  app?: string;
}

/** Throws a TypeError or RangeError for what is none. */
export function readCoreOptions(value: unknown): CoreOptions {
  const options = dictionary(value, 'The options');
  const tools = optionalSequence(options.tools, 'tools').map(readTool);
  checkNames(tools);
  const inputs = readExpected(options, 'expectedInputs');
  const outputs = readExpected(options, 'expectedOutputs');
  return {
    sampling: readSampling(options),
    tools,
    unsupported:
      inputs.find((type) => !INPUTS.includes(type)) ??
      outputs.find((type) => !OUTPUTS.includes(type)),
    images: inputs.includes('image'),
  };
}

export function readCreateOptions(value: unknown): CreateOptions {
  const options = dictionary(value, 'The options');
  const prompts = options.initialPrompts ?? [];
  optionalSequence(prompts, 'initialPrompts');
  return {
    ...readCoreOptions(options),
    initialPrompts: readPrompt(prompts),
    monitor: readMonitor(options.monitor),
    signal: optionalSignal(options.signal),
    slo: readSlo(options.slo),
    app: readApp(options.app),
  };
}

function readExpected(options: Dictionary, name: string): LanguageModelMessageType[] {
  return optionalSequence(options[name], name).map((value) => {
    const { type, languages } = dictionary(value, `One of ${name}`);
    const tags = optionalSequence(languages, `The languages of ${name}`).map(String);
    Intl.getCanonicalLocales(tags); // throws a RangeError
    return enumeration(type, TYPES, `The type of one of ${name}`);
  });
}

function readMonitor(value: unknown): CreateOptions['monitor'] {
  if (value === undefined || value === null) return undefined;
  if (isMonitor(value)) return value;
  throw new TypeError('monitor must be a function.');
}

function isMonitor(value: unknown): value is (monitor: CreateMonitor) => void {
  return typeof value === 'function';
}

/** Its shape; what it says is checked with the session's first request. */
export function readSlo(value: unknown): Slo | undefined {
  if (value === undefined || value === null) return undefined;
  if (isSlo(value)) return value;
  throw new TypeError('slo must be an object with a class.');
}

function isSlo(value: unknown): value is Slo {
  return isObject(value) && 'class' in value;
}

export function readApp(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string' && value.length >= 1 && value.length <= MAX_APP) return value;
  throw new TypeError(`app must be a name of 1 to ${MAX_APP} characters.`);
}
