/**
 * A Tempo for components, and hooks to talk to it and to watch it.
 *
 * @module tempo-llm/react
 */
export type {
  ChatOptions,
  ChatParams,
  ChatState,
  ChatStatus,
} from './chat';
export type { TempoDashboardAttributes } from './elements';
export type { GivenMessage, MessageParts, UiMessage } from './messages';
export { TempoProvider, type TempoProviderProps, useTempo } from './provider';
export { TempoReady, type TempoReadyProps, useTempoReady, useTempoState } from './state';
export { type UseChat, useChat } from './use-chat';
export { type CompletionOptions, type UseCompletion, useCompletion } from './use-completion';
export { type SnapshotOptions, useMetrics, useSnapshot } from './use-snapshot';
