/**
 * WebLLM's list of models, as the WebLLM has it that Tempo is built with. The package's build puts the
 * data in place of the import (`scripts/library.ts`): WebLLM itself is not loaded for it.
 */
import * as webllm from '@mlc-ai/web-llm';
import type { AppConfig } from './config-types';

/** The models there are where an engine is given no list of its own. It may be changed, as WebLLM's may. */
export const prebuiltAppConfig: AppConfig = webllm.prebuiltAppConfig;

/** The version of the libraries in `prebuiltAppConfig`. */
export const modelVersion: string = webllm.modelVersion;

/** Where those libraries are, but for the version. */
export const modelLibURLPrefix: string = webllm.modelLibURLPrefix;

/** Models that WebLLM lets call functions. Here every chat model can. */
export const functionCallingModelIds: string[] = webllm.functionCallingModelIds;
