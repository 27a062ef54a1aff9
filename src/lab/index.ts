/** The lab: workloads, their replay through any policy on the simulated engine, and what came of it. */

// What a replay is made of, for those who drive one themselves.
export { DEVICE_PROFILES, type DeviceProfile, isDeviceProfileName } from '../engine/simulated';
export { WordTokenizer } from '../engine/simulated/word-tokenizer';
export {
  CostModel,
  createPolicy,
  occupancyOf,
  type Random,
  type Request,
  requestTrace,
  StepOutputs,
  type StepRecord,
  seededRandom,
  stepTrace,
} from '../scheduler';
export * from './agents';
export * from './arrivals';
export * from './bound';
export * from './distribution';
export * from './flood';
export * from './lengths';
export * from './objectives';
export * from './page';
export * from './paper';
export * from './passage';
export * from './programs';
export * from './prompt';
export * from './qoe';
export * from './reasoning';
export * from './replay';
export * from './run';
export * from './spec';
export * from './trace-workload';
export * from './traces';
export * from './variant';
export * from './work';
export * from './workload';
