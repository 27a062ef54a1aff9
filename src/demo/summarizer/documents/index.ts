/** Short essays written for this page, for the summarizer to work on. */
import { createDocument, type Document } from '../document';
import bread from './bread.txt?raw';
import lighthouses from './lighthouses.txt?raw';
import metronome from './metronome.txt?raw';
import peat from './peat.txt?raw';
import queues from './queues.txt?raw';
import tides from './tides.txt?raw';

export function shippedDocuments(): Document[] {
  return [
    createDocument('queues', 'On queues', queues, false),
    createDocument('tides', 'On tides', tides, false),
    createDocument('metronome', 'On the metronome', metronome, false),
    createDocument('lighthouses', 'On lighthouses', lighthouses, false),
    createDocument('bread', 'On bread', bread, false),
    createDocument('peat', 'On bogs', peat, false),
  ];
}
