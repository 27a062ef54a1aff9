import type { LoadOptions } from '../step-engine';
import type { AppConfig, ChatOptions } from './app-config';
import type { StartGrammars } from './lazy-grammars';
import type { WebLlmModule } from './webllm-module';

export interface WebLlmOptions extends LoadOptions {
  /** A model id of `appConfig`'s list. */
  model: string;
  /** Default: WebLLM's prebuilt list. */
  appConfig?: AppConfig;
  /** What is to be other than the model's configuration says. */
  chatOptions?: ChatOptions;
  /** Sequences that may hold pages at once. Default 32. */
  maxSequences?: number;
  /** Memory for the KV cache, bytes. Default: by the model's size, see `defaultBudget`. */
  kvBudgetBytes?: number;
  /** Longest prompt plus output, tokens. Default, and at most: the model's own. */
  contextWindow?: number;
  /** Finished sequences kept as prefixes for those to come, at most. Default 32; 0: none. */
  keepPrefixes?: number;
  /**
   * Whether the device is tested and timed once the model is loaded. `auto` (default): unless it is
   * a software device, on which that takes minutes.
   */
  selfTest?: 'always' | 'never' | 'auto';
  /** Starts a thread for grammars. Default: they are this thread's own work. */
  startGrammars?: StartGrammars;
  /**
   * Kernels of our own instead of the library's. `auto` (default): those that the device's trial finds
   * equal and faster; where it is not tested, none. `untried`: all, for measurements.
   */
  ownKernels?: 'auto' | 'never' | 'untried';
  /** WebLLM itself. Default: the package's, loaded now. */
  webllm?: WebLlmModule;
  /** Default: `navigator.gpu`. */
  gpu?: GPU;
}

/** The context window of a model that says nothing of it, tokens. */
export const UNSAID_WINDOW = 4096;
