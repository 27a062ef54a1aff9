/** The Web Worker's entry: a server behind comlink. */
import { expose } from 'comlink';
import { TempoServer } from '../server';

expose(new TempoServer());
