/** The lab: workloads, their replay through any policy on the simulated engine, and what came of it. */
export * from './arrivals';
export * from './distribution';
export * from './lengths';
export * from './objectives';
export * from './paper';
export * from './programs';
export * from './replay';
export * from './run';
export * from './tally';
export * from './work';
export * from './workload';
