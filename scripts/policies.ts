/** `npm run policies`: writes what pages and readers know of the policies from the registry. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { POLICIES } from '../src/scheduler/policies';
import type {
  PolicyAbout,
  PolicyEntry,
  PolicyLine,
  PolicyOrder,
} from '../src/scheduler/policies/entry';

const root = join(import.meta.dirname, '..');
const FOLDER = 'src/scheduler/policies';
const WRITTEN = '// Written by `npm run policies` from ./index.ts.';

/** A policy, what is said of it, and where. */
interface Listed extends PolicyEntry {
  about: PolicyAbout;
  /** The doc comment of the function that makes it, as paragraphs. */
  comment: string;
}

/** The registry with what the policies' files say. */
export function listed(): Promise<Listed[]> {
  return Promise.all(POLICIES.map(async (entry) => ({ ...entry, ...(await read(entry.name)) })));
}

async function read(name: string): Promise<Pick<Listed, 'about' | 'comment'>> {
  const folder = existsSync(join(root, FOLDER, name));
  const file = (leaf: string) => join(root, FOLDER, folder ? `${name}/${leaf}.ts` : `${name}.ts`);
  const { about } = await import(pathToFileURL(file('entry')).href);
  const comment = docComment(file('index'), name);
  return {
    about,
    comment: folder ? `${comment} [How it thinks](design.md), step by step.` : comment,
  };
}

/** The files that are written, and their text. */
export async function written(): Promise<Record<string, string>> {
  const policies = await listed();
  return {
    [`${FOLDER}/names.ts`]: names(policies),
    [`${FOLDER}/about.ts`]: about(policies),
    'docs/policies.md': page(policies),
  };
}

function names(policies: readonly Listed[]): string {
  const list = policies.map(({ name }) => `  '${name}',\n`).join('');
  const aliases = policies.flatMap((entry) => entry.aliases ?? []).map((name) => `'${name}'`);
  return `${WRITTEN}

/** Every policy's name, apart from the policies themselves: a page lists them without loading the code. */
export const POLICY_NAMES = [
${list}] as const;

export type PolicyName = (typeof POLICY_NAMES)[number];

/** Other names of policies, under which they are published as well. */
export type PolicyAlias = ${aliases.join(' | ')};

export type AnyPolicyName = PolicyName | PolicyAlias;
`;
}

function about(policies: readonly Listed[]): string {
  const { lines, orders } = forPages(policies);
  return `${WRITTEN}
import type { PolicyLine, PolicyOrder } from './entry';
import type { PolicyName } from './names';

/** Whose rule each policy is and what it does, apart from the policies themselves. */
export const POLICY_LINES: Readonly<Record<PolicyName, PolicyLine>> = ${JSON.stringify(lines, null, 2)};

/** How each policy's decisions are put into words. */
export const POLICY_ORDERS: Readonly<Record<PolicyName, PolicyOrder>> = ${JSON.stringify(orders, null, 2)};
`;
}

/** What pages need to know of the policies, by name. */
export function forPages(policies: readonly Listed[]): {
  lines: Record<string, PolicyLine>;
  orders: Record<string, PolicyOrder>;
} {
  const pages = policies.map(({ name, about: { origin, line, source: _, ...order } }) => ({
    name,
    line: { origin, line },
    order,
  }));
  return {
    lines: Object.fromEntries(pages.map(({ name, line }) => [name, line])),
    orders: Object.fromEntries(pages.map(({ name, order }) => [name, order])),
  };
}

function page(policies: readonly Listed[]): string {
  const rows = policies.map(
    ({ name, about: { origin, line } }) => `| [\`${name}\`](#${name}) | ${origin} | ${line} |`,
  );
  return `# The policies

\`tempo.setPolicy(name)\` switches between two steps. Each policy is a file of
[src/scheduler/policies](../${FOLDER}); this page is written from them by \`npm run policies\`.
How they compare: [rivals](rivals.md). At the end it says how to [add one](#adding-one).

| policy | whose | rule |
| --- | --- | --- |
${rows.join('\n')}

${policies.map(section).join('\n\n')}

## Adding one

A policy is a file of [src/scheduler/policies](../${FOLDER}) that exports its \`entry\` (its name, and how it is made) and \`about\` (whose it
is, what it does in a sentence, its order in half of one, its source), with a doc comment on the function that makes it; and a line in
the registry, [index.ts](../${FOLDER}/index.ts). \`npm run policies\` then writes this page and the two files by which the
client and the dashboard know it, and the tests of every policy, the lab and the benches take it up by themselves. A case worked by
hand belongs beside it, in a test on the [table top](../${FOLDER}/table-top.ts).
`;
}

function section({ name, aliases, about: { source }, comment }: Listed): string {
  const known =
    aliases === undefined ? '' : ` Also named ${aliases.map((one) => `\`${one}\``).join(', ')}.`;
  const whose = source === undefined ? '' : `*${source}.*${known}\n\n`;
  return `## ${name}\n\n${whose}${comment}`;
}

function docComment(file: string, name: string): string {
  const made = name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
  const comments = new RegExp(`/\\*\\*((?:(?!\\*/)[^])*)\\*/\\s*export function ${made}\\(`);
  const [, comment] = comments.exec(readFileSync(file, 'utf8')) ?? [];
  if (comment === undefined) throw new Error(`${file} has no doc comment on ${made}.`);
  const text = comment.replace(/^\s*\* ?/gm, '').trim();
  return text
    .split('\n\n')
    .map((part) => part.replaceAll('\n', ' '))
    .join('\n\n');
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const files = await written();
  for (const [file, text] of Object.entries(files)) writeFileSync(join(root, file), text);
  const sources = Object.keys(files).filter((file) => file.endsWith('.ts'));
  execFileSync('npx', ['biome', 'check', '--write', ...sources], { cwd: root, stdio: 'inherit' });
}
