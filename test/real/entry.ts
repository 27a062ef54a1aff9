import type { LibraryMetadata, WebllmVersion } from './library';

/** WebLLM's `ModelRecord`, as far as the harness fills it in. */
export interface RealModelRecord {
  readonly model: string;
  readonly model_id: string;
  readonly model_lib: string;
  readonly required_features: string[];
}

/** What an entry gets: a model that WebLLM can load, and where its lines of output go. */
export interface RealRun {
  /** Put it into `appConfig.model_list` and `reload(record.model_id)`. */
  readonly record: RealModelRecord;
  readonly metadata: LibraryMetadata;
  readonly webllm: WebllmVersion;
  /** `node`: Node with Dawn. `browser`: a page in headless Chromium. */
  readonly host: 'node' | 'browser';
  readonly args: readonly string[];
  readonly log: (line: string) => void;
}

/** An entry's default export. What it returns must survive JSON; what it throws fails the run. */
export type RealEntry = (run: RealRun) => Promise<unknown>;

/** Which library, which entry, and with what. */
export interface RunOptions {
  /** The model library's file. */
  readonly library: string;
  /** The entry point's file: a module whose default export is a `RealEntry`. */
  readonly entry: string;
  readonly args?: readonly string[];
  /** The version that the library was built for, if not given. */
  readonly webllm?: WebllmVersion;
  readonly log?: (line: string) => void;
}
