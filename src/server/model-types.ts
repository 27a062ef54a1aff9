/** What a server tells of models, loaded or not. */
export type * from '../engine/webllm/app-config';
export type * from '../engine/webllm/model-types';
