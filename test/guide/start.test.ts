/** The guide's first pages are those of the apps that `npm run test:apps` builds and runs. */
import { describe, expect, it } from 'vitest';
import { blocksOf, read } from './markdown';

const guide = read('docs/guide/start.md');
const blocks = blocksOf(guide);
const app = (file: string) => read(`test/apps/${file}`);
const inSection = (section: string) => blocks.filter((block) => block.section === section);

/** The text of a section's only block of a language. */
function only(section: string, language: string): string {
  const found = inSection(section).filter((block) => block.language === language);
  expect(found, `${section}: ${language}`).toHaveLength(1);
  return found[0].text;
}

/** The page of the guide, as a section says that it is to be. */
function pageOf(section: string): string {
  const script = '    <script type="module" src="./main.js"></script>\n';
  const page = only('The page', 'html');
  expect(page).toContain(script);
  return page.replace(script, only(section, 'html'));
}

interface Commands {
  /** What `npm install` names. */
  packages: string[];
  /** What `npx` runs. */
  tools: string[];
}

function commandsOf(section: string): Commands {
  const words = only(section, 'sh')
    .trim()
    .split('\n')
    .map((line) => line.split(' '));
  const installs = words.filter(([program, verb]) => program === 'npm' && verb === 'install');
  return {
    packages: installs
      .flatMap(([, , ...names]) => names)
      .filter((name) => name !== '-D')
      .sort(),
    tools: words.filter(([program]) => program === 'npx').map(([, ...line]) => line.join(' ')),
  };
}

function manifestOf(name: string): Commands {
  const { dependencies, devDependencies, scripts } = JSON.parse(app(`${name}/package.json`));
  return {
    packages: Object.keys({ ...dependencies, ...devDependencies }).sort(),
    tools: Object.values(scripts),
  };
}

describe('the guide’s five-minute start', () => {
  it('has the files of the app in Vite', () => {
    expect(only('The page', 'html')).toBe(app('vite/index.html'));
    expect(only('The page', 'js')).toBe(app('vite/main.js'));
    expect(commandsOf('Vite')).toEqual(manifestOf('vite'));
  });

  it('has those in webpack', () => {
    expect(pageOf('webpack')).toBe(app('webpack/index.html'));
    expect(only('The page', 'js')).toBe(app('webpack/main.js'));
    expect(commandsOf('webpack')).toEqual(manifestOf('webpack'));
  });

  it('has those in Next', () => {
    const files = inSection('Next').flatMap(({ file, text }) => (file ? [[file, text]] : []));
    expect(files.map(([file]) => file)).toEqual(['app/chat.tsx', 'app/page.tsx', 'app/layout.tsx']);
    for (const [file, text] of files) expect(text).toBe(app(`next/${file}`));
    expect(commandsOf('Next')).toEqual(manifestOf('next'));
  });

  it('has those of a page without a bundler', () => {
    expect(pageOf('A plain page')).toBe(app('plain/index.html'));
    expect(only('The page', 'js')).toBe(app('plain/main.js'));
  });

  it('has the page that another origin’s package runs in', () => {
    const address = 'https://cdn.example/';
    const page = pageOf('From another origin');
    expect(page).toContain(address);
    expect(page.replace(address, './node_modules/')).toBe(app('plain/index.html'));
  });

  it('has the lines of those with a worker of their own', () => {
    const lines = inSection('A worker of your own');
    expect(lines.map(({ file }) => file)).toEqual([
      'tempo-worker.js',
      undefined,
      'vite.config.js',
      undefined,
    ]);
    const [worker, start, config, shared] = lines.map(({ text }) => text);
    expect(worker).toBe(app('own-worker/tempo-worker.js'));
    expect(worker).toBe(app('shared-worker/tempo-worker.js'));
    expect(config).toBe(app('own-worker/vite.config.js'));
    expect(app('own-worker/main.js')).toContain(start);
    expect(app('shared-worker/main.js')).toContain(shared);
  });

  it('names the package that npm packs', () => {
    const { name, version } = JSON.parse(read('package.json'));
    const [pack, install] = inSection('The package').map(({ text }) => text);
    expect(pack).toBe('npm ci\nnpm pack\n');
    expect(install).toContain(`/${name}-${version}.tgz\n`);
    expect(guide).toContain(`/${name}@${version}/dist-lib/index.js`);
  });
});
