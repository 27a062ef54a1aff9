/** Sums, worked out beside the page, where one that takes too long can be ended. */
import { expose } from 'comlink';
import { evaluate } from './evaluate';

const sums = { evaluate };
export type Sums = typeof sums;

expose(sums);
