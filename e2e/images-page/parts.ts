export { createTempo } from '../../src/client';
export { createLanguageModel } from '../../src/prompt-api';
export { decode, readPixels } from '../../src/server/images/pixels';
