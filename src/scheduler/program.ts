import { CallGraph, type Stage } from './call-graph';
import type { Request } from './request';

/** A graph whose calls are requests. A request knows it as the graph it is, so this knows requests alone. */
export class Program extends CallGraph<Request> {}

/** Calls of a program that ran side by side. */
export type ProgramStage = Stage<Request>;
