import fc from 'fast-check';

/**
 * Property tests draw the same cases every time, so that a run that was green stays green;
 * FC_SEED=NUMBER draws others.
 */
fc.configureGlobal({ seed: Number(process.env.FC_SEED ?? 20_504_068) });
