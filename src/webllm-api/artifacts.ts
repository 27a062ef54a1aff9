/** Names of WebLLM's model files (0.2.86, `artifact_manifest`). */

/** What a packaged model's other files are, and how to run it; `ModelRecord.model_manifest` names it. */
export const MODEL_PACKAGE_MANIFEST_FILENAME = 'mlc-model-manifest.json';

/** The list of a model's weights. */
export const TENSOR_CACHE_MANIFEST_FILENAME = 'tensor-cache.json';

/** The version of the two formats. */
export const ARTIFACT_SCHEMA_VERSION = 1;
