/** What there is to know of models before and after they are downloaded. */

/** A model that can be loaded. */
export interface ModelInfo {
  /** What `createTempo` and `embeddingModels` take. */
  id: string;
  /** `vision`: a chat model that sees images. */
  kind: 'chat' | 'vision' | 'embedding';
  /** It takes images. Undefined where only a file of the model's own says, which a load reads (Gemma 4). */
  images?: boolean;
  /** Longest prompt plus output, tokens; undefined where only the model's own configuration says. */
  contextWindow?: number;
  /** GPU features that it needs, such as `shader-f16`. */
  requiredFeatures: string[];
  /** GPU memory that it takes, bytes, where the list says. */
  vramBytes?: number;
  /** It runs on devices with little memory, such as phones. */
  lowResource: boolean;
  /** How much of it the browser has. */
  cached: CacheState;
  /** Its weights, bytes; known here once it was downloaded, in whole or part. `models.size` asks for it. */
  downloadBytes?: number;
  /** Where its weights come from: the folder's address. */
  url: string;
  /** Where its library comes from. */
  libraryUrl: string;
}

/** `complete`: it loads without the network. */
export type CacheState = 'none' | 'partial' | 'complete';

/** What the browser keeps of a model. */
export interface ModelStorage {
  id: string;
  cached: CacheState;
  /** Bytes kept, weights and all else. */
  bytes: number;
  /** Files of weights kept, and how many there are where that is known. */
  shards: { cached: number; total?: number };
  /** Models of the list with the same weights: what is deleted of one is gone for all. */
  sharedWith: string[];
}

/** Of what is kept of a model: its weights with their tokenizer, its library, or its configuration. */
export type ModelPart = 'weights' | 'library' | 'configuration';

/** What a model's download comes to, bytes. */
export interface ModelSize {
  id: string;
  /** Weights, library, tokenizer and configuration. */
  bytes: number;
  weightBytes: number;
  /** Undefined where its server does not tell sizes. */
  libraryBytes?: number;
}

/** Whether a model's download fits. */
export interface DownloadEstimate {
  id: string;
  /** Still to be downloaded. */
  downloadBytes: number;
  /**
   * What this page may keep and what it keeps already, bytes, as the browser says (Chrome says 10 GiB more
   * than it keeps, whatever there is); undefined where it does not.
   */
  quotaBytes?: number;
  usageBytes?: number;
  /** There is room for the download, as was tried out; undefined where that cannot be known. */
  fits?: boolean;
  /** What is kept is safe from the browser's tidying up: see `models.persist`. */
  persisted: boolean;
}
