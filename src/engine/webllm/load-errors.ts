import { TempoError, type TempoErrorCode } from '../../scheduler';

interface Rule {
  /** Matched against the error's name and message. */
  pattern: RegExp;
  code: TempoErrorCode;
  message: string;
}

const RULES: readonly Rule[] = [
  {
    pattern: /ShaderF16Support|shader-f16/i,
    code: 'shader_f16_unavailable',
    message:
      'This GPU cannot compute with 16-bit floats (shader-f16), which the model needs. Choose its q4f32 build.',
  },
  {
    pattern: /WebGPUNotAvailable|WebGPUNotFound|compatible GPU|WebGPU is not/i,
    code: 'webgpu_unavailable',
    message:
      'WebGPU is not available here. Use a recent browser with hardware acceleration on, over https or on localhost.',
  },
  {
    pattern: /ModelNotFound|Cannot find model record/i,
    code: 'unknown_model',
    message: 'WebLLM does not know this model.',
  },
  {
    pattern: /FeatureSupport|requires unsupported WebGPU|exceeds limit/i,
    code: 'unsupported',
    message: 'This GPU lacks something that the model needs.',
  },
  {
    pattern: /QuotaExceeded|quota/i,
    code: 'out_of_memory',
    message: "The browser's storage is full, so the model cannot be kept. Free some space.",
  },
  {
    pattern:
      /DeviceLost|device was lost|out of memory|\bOOM\b|allocation failed|bad_alloc|Array buffer allocation/i,
    code: 'out_of_memory',
    message:
      'The GPU ran out of memory while loading the model. Close other pages that use it, or choose a smaller model.',
  },
  {
    pattern: /Integrity/i,
    code: 'network',
    message: 'What was downloaded is not what was published. Clear the cache and load again.',
  },
  {
    pattern: /fetch|network|status|ERR_|Cache\.add|Request failed/i,
    code: 'network',
    message:
      'The model could not be downloaded. Check the connection and load again; what has arrived is kept.',
  },
];

/** What WebLLM threw while loading, as one of ours. */
export function loadError(thrown: unknown): TempoError {
  if (thrown instanceof TempoError) return thrown;
  const name = thrown instanceof Error ? `${thrown.name} ${thrown.constructor.name}` : '';
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  const rule = RULES.find(({ pattern }) => pattern.test(`${name} ${text}`));
  if (rule === undefined) {
    return new TempoError('engine_failed', `The model could not be loaded: ${text}`, {
      cause: thrown,
    });
  }
  return new TempoError(rule.code, `${rule.message} (${firstLine(text)})`, { cause: thrown });
}

function firstLine(text: string): string {
  const line = text.split('\n', 1)[0];
  return line.length > 200 ? `${line.slice(0, 199)}…` : line;
}
