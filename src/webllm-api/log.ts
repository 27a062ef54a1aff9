export type LogLevel = 'TRACE' | 'DEBUG' | 'INFO' | 'WARN' | 'ERROR' | 'SILENT';

const LEVELS: readonly LogLevel[] = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'SILENT'];

/** As in WebLLM, one level for all engines of a page. */
let level: LogLevel = 'WARN';

export function setLogLevel(wanted: LogLevel): void {
  if (LEVELS.includes(wanted)) level = wanted;
}

function at(own: LogLevel, write: (...words: unknown[]) => void) {
  return (...words: unknown[]) => {
    if (LEVELS.indexOf(own) >= LEVELS.indexOf(level)) write(...words);
  };
}

/** What engines have to say in the console. */
export const log = {
  info: at('INFO', (...words) => console.info(...words)),
  warn: at('WARN', (...words) => console.warn(...words)),
};

const said = new Set<string>();

/** Once a page. */
export function warnOnce(sentence: string): void {
  if (!said.has(sentence)) log.warn(sentence);
  said.add(sentence);
}
