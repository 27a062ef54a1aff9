import { badLine } from './trace-row';

/** A record of a CSV, and the line of the file that it begins on, from 1. */
export interface CsvRecord {
  line: number;
  cells: string[];
}

/** A cell: in quotes, where `""` is a quote; or as it is. What parts it from the next comes after. */
const CELL = /(?:[ \t]*"((?:[^"]|"")*)"[ \t]*|([^",\r\n]*))(,|\r\n|\n|\r|$)/y;

/** Reads a CSV as RFC 4180 has it; records of nothing are left out. Throws `invalid_request`, naming file and line. */
export function csvRecords(text: string, file: string): CsvRecord[] {
  const records: CsvRecord[] = [];
  const cell = new RegExp(CELL);
  let cells: string[] = [];
  let line = 1;
  let start = 1;
  for (let at = 0; at < text.length || cells.length > 0; at = cell.lastIndex) {
    cell.lastIndex = at;
    const match = cell.exec(text);
    if (match === null) {
      const rest = text.slice(at).split(/\r?\n/, 1)[0].slice(0, 80);
      throw badLine(file, start, `a quote is not where it can be: ${rest}`);
    }
    const [all, quoted, bare = '', end] = match;
    cells.push(quoted?.replaceAll('""', '"') ?? bare);
    line += all.match(/\r\n|\n|\r/g)?.length ?? 0;
    if (end === ',') continue;
    if (cells.length > 1 || cells[0].trim() !== '') records.push({ line: start, cells });
    cells = [];
    start = line;
  }
  return records;
}
