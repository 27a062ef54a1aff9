/**
 * The wire between a page and the worker that serves it: the interface that comlink exposes
 * (`TempoHost`), and every type that crosses. Clients import from here and from nowhere deeper.
 */
export type { EngineStatus, LoadProgress } from '../engine/step-engine';
export type {
  AnyPolicyName,
  BestEffortSlo,
  CalibrationSnapshot,
  DeadlineSlo,
  Explanation,
  FinishReason,
  GroupSnapshot,
  LatencySlo,
  MetricsSnapshot,
  Percentiles,
  PolicyAlias,
  PolicyName,
  ProgramSlo,
  Reason,
  Slo,
  SloClass,
  TempoErrorCode,
  TempoErrorDetails,
  TempoErrorJson,
  WaitingTimeSnapshot,
} from '../scheduler';
export { TempoError } from '../scheduler/errors';
export { POLICY_NAMES } from '../scheduler/policies/names';
export type * from '../server/chat-types';
export type * from '../server/embedding-types';
export type * from '../server/host';
export type * from '../server/model-types';
export type * from '../server/server-types';
export type * from '../server/text-types';
export { GREETING } from './greeting';
