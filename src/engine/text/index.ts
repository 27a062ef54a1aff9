/** Between messages and tokens, both ways: chat templates in; characters, stop strings, reasoning out. */
export * from './chat-template';
export * from './detokenizer';
export * from './messages';
export * from './reasoning';
export * from './stop-strings';
export * from './text-stream';
export * from './token-bytes';
