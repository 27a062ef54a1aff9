/**
 * GitHub's tables in Markdown (github.github.com/gfm, "Tables"): to CommonMark they are paragraphs, and
 * here they become tables. A `|` after a backslash is part of a cell.
 */

/** A node of a Markdown tree (mdast), as far as tables are concerned. */
interface Node {
  type: string;
  value?: string;
  children?: Node[];
  align?: Align[];
}

type Align = 'left' | 'right' | 'center' | null;
/** What stands in one line, or one cell. */
type Inline = Node[];

/** Stands for a `|` after a backslash while the text is read. */
const ESCAPED = '\uE000';

const DELIMITERS = /^[ \t]*\|?([ \t]*:?-+:?[ \t]*\|)*[ \t]*:?-+:?[ \t]*\|?[ \t]*$/;

/** The text as `tables` is to find it. */
export function beforeTables(markdown: string): string {
  return markdown.replaceAll('\\|', ESCAPED);
}

/** A remark plugin; the text has gone through `beforeTables`. */
export function tables() {
  return (tree: Node): void => visit(tree, false);
}

function visit(node: Node, inTable: boolean): void {
  const within = inTable || node.type === 'table';
  if (node.value !== undefined) {
    const isCode = node.type === 'code' || node.type === 'inlineCode';
    node.value = node.value.replaceAll(ESCAPED, isCode && !within ? '\\|' : '|');
  }
  if (node.children === undefined) return;
  node.children = node.children.flatMap((child) =>
    child.type === 'paragraph' ? withTable(child) : [child],
  );
  for (const child of node.children) visit(child, within);
}

/** The paragraph; or what stands before the table in it, and the table. */
function withTable(paragraph: Node): Node[] {
  const lines = linesOf(paragraph.children ?? []);
  const at = lines.findIndex((line, i) => i > 0 && isDelimiters(line, lines[i - 1]));
  if (at < 0) return [paragraph];
  const align = cellsOf(lines[at]).map((cell): Align => {
    const text = textOf(cell);
    if (text.startsWith(':')) return text.endsWith(':') ? 'center' : 'left';
    return text.endsWith(':') ? 'right' : null;
  });
  const rows = [lines[at - 1], ...lines.slice(at + 1)].map((line) => {
    const cells = cellsOf(line);
    return {
      type: 'tableRow',
      children: align.map((_, i) => ({ type: 'tableCell', children: cells[i] ?? [] })),
    };
  });
  const table = { type: 'table', align, children: rows };
  const before = lines.slice(0, at - 1);
  if (before.length === 0) return [table];
  const children = before.flatMap((line, i) =>
    i === 0 ? line : [{ type: 'text', value: '\n' }, ...line],
  );
  return [{ type: 'paragraph', children }, table];
}

/** A row of dashes with as many cells as the line before it, and a `|` in either. */
function isDelimiters(line: Inline, header: Inline): boolean {
  const text = textOf(line);
  const isText = line.every(({ type }) => type === 'text');
  if (!isText || !DELIMITERS.test(text) || !(text + textOf(header)).includes('|')) return false;
  return cellsOf(line).length === cellsOf(header).length;
}

function linesOf(nodes: Inline): Inline[] {
  const lines: Inline[] = [[]];
  for (const node of nodes) {
    if (node.type === 'break') {
      lines.push([]);
      continue;
    }
    splitText(node, '\n').forEach((part, i) => {
      if (i > 0) lines.push([]);
      lines[lines.length - 1].push(part);
    });
  }
  return lines;
}

function cellsOf(line: Inline): Inline[] {
  const cells: Inline[] = [[]];
  for (const node of line) {
    splitText(node, '|').forEach((part, i) => {
      if (i > 0) cells.push([]);
      cells[cells.length - 1].push(part);
    });
  }
  // The pipes around a row part nothing.
  const isBlank = (cell: Inline | undefined) =>
    cell?.length !== 0 && textOf(cell ?? []).trim() === '';
  const isMarked = cells.length > 1;
  if (isMarked && isBlank(cells[0])) cells.shift();
  if (isMarked && cells.length > 1 && isBlank(cells.at(-1))) cells.pop();
  return cells.map(trimmed);
}

/** A text parted at each `mark`; any other node as it is. */
function splitText(node: Node, mark: string): Inline {
  if (node.type !== 'text' || node.value === undefined) return [node];
  return node.value.split(mark).map((value) => ({ type: 'text', value }));
}

function trimmed(cell: Inline): Inline {
  return cell
    .map((node, i): Node => {
      if (node.type !== 'text') return node;
      const start = i === 0 ? (node.value?.trimStart() ?? '') : (node.value ?? '');
      return { ...node, value: i === cell.length - 1 ? start.trimEnd() : start };
    })
    .filter(({ type, value }) => type !== 'text' || value !== '');
}

/** All that is written in it; a node that is no text counts as something. */
function textOf(nodes: Inline): string {
  return nodes.map(({ type, value }) => (type === 'text' ? (value ?? '') : '\uFFFC')).join('');
}
