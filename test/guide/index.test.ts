/** What the README, the index of guides and the examples say of the package and of one another. */
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT, read } from './markdown';

const { name, version, exports, dependencies, devDependencies, peerDependencies } = JSON.parse(
  read('package.json'),
);
const readme = read('README.md');
const guides = readdirSync(join(ROOT, 'docs/guide'));
const examples = readdirSync(join(ROOT, 'examples'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name);

/** The first cells of the table that is headed so. */
function firstCells(text: string, heading: string): string[] {
  const table = text.slice(text.indexOf(`| ${heading} |`)).split('\n\n', 1)[0];
  const [, , ...rows] = table.split('\n');
  return rows.flatMap((row) => {
    const [, cell] = row.split('|');
    return [...cell.matchAll(/`([^`]+)`/g)].map(([, quoted]) => quoted);
  });
}

describe('the README', () => {
  it('says of every dependency why it is there', () => {
    const installed = Object.keys({ ...dependencies, ...devDependencies, ...peerDependencies });
    expect(firstCells(readme, 'package').sort()).toEqual(installed.sort());
  });

  it('has every entry of the package', () => {
    const entries = Object.keys(exports)
      .filter((entry) => entry !== './package.json')
      .map((entry) => entry.replace('.', name));
    expect(firstCells(readme, 'entry').sort()).toEqual(entries.sort());
  });
});

describe('the API reference', () => {
  it('has every entry of the package, by its name', () => {
    const { entryPoints } = JSON.parse(read('typedoc.json'));
    const modules = entryPoints.map((file: string) => /@module (\S+)/.exec(read(file))?.[1]);
    expect(modules.sort()).toEqual(firstCells(readme, 'entry').sort());
  });
});

describe('the index of guides', () => {
  it('has each guide once', () => {
    const linked = [...read('docs/README.md').matchAll(/\]\(guide\/([^)]+)\)/g)];
    expect(linked.map(([, file]) => file).sort()).toEqual(guides.sort());
  });
});

describe('the examples', () => {
  it('are in their index, each', () => {
    expect(firstCellsLinked(read('examples/README.md')).sort()).toEqual(examples.sort());
  });

  it.each(examples)('%s depends on the package that npm packs', (example) => {
    const manifest = JSON.parse(read(`examples/${example}/package.json`));
    expect(manifest.dependencies[name]).toBe(`file:../../${name}-${version}.tgz`);
  });

  it.each(examples)('%s looks as the others do', (example) => {
    expect(read(`examples/${example}/style.css`)).toBe(read('examples/vanilla/style.css'));
  });
});

const firstCellsLinked = (text: string): string[] =>
  [...text.matchAll(/^\| \[[^\]]+\]\(([^)]+)\) \|/gm)].map(([, target]) => target);

const pages = [
  'README.md',
  'docs/README.md',
  'examples/README.md',
  ...guides.map((guide) => `docs/guide/${guide}`),
  ...examples.map((example) => `examples/${example}/README.md`),
];

/** What a heading is called in an address, as GitHub makes it. */
const anchor = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/[^\w\- ]/g, '')
    .replaceAll(' ', '-');

describe('links', () => {
  it.each(pages)('of %s lead somewhere', (page) => {
    const text = read(page).replace(/^```[\s\S]*?^```$/gm, '');
    const links = [...text.matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)/g)];
    const dead = links.filter(([, path, id]) => {
      const target = path === '' ? page : join(dirname(page), path);
      if (!existsSync(join(ROOT, target))) return true;
      const headings = [...(id ? read(target) : '').matchAll(/^#+ (.+)$/gm)];
      return id !== undefined && !headings.some(([, heading]) => anchor(heading) === id);
    });
    expect(dead.map(([link]) => link)).toEqual([]);
  });
});
