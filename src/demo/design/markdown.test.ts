import { createElement } from 'react';
import { renderToStaticMarkup } from 'react-dom/server';
import { describe, expect, it } from 'vitest';
import { ModelMarkdown } from './markdown';

const html = (children: string) =>
  renderToStaticMarkup(createElement(ModelMarkdown, { children }))
    .replace(/^<div class="markdown">|<\/div>$/g, '')
    .replaceAll('\n', '');

describe('an image', () => {
  it.each([
    ['![A map of the island](https://evil.example/map.png?q=secret)', 'A map of the island'],
    ['![a](data:image/png;base64,AAAA)', 'a'],
    ['![map][1]\n\n[1]: https://evil.example/map.png', 'map'],
    ['![](/x.png)', 'image'],
    ['[![badge](https://evil.example/b.svg)](javascript:alert(1))', 'badge'],
  ])('is its words alone: %s', (markdown, words) => {
    const shown = html(markdown);
    expect(shown).toContain(`<span class="image">${words}</span>`);
    expect(shown).not.toMatch(/<img|evil|src=|data:|javascript/);
  });

  it('in HTML is no image', () => {
    const shown = html('<img src="https://evil.example/x.png"> and <iframe src="//evil.example">');
    expect(shown).not.toMatch(/<img|<iframe/);
  });
});

describe('a link', () => {
  it('leads to the web, in a window that knows nothing of this one', () => {
    for (const markdown of ['[docs](https://example.org/a?b=1)', '<HTTPS://example.org/a?b=1>']) {
      const shown = html(markdown);
      expect(shown).toMatch(/<a href="https:\/\/example\.org\/a\?b=1" [^>]*>/i);
      expect(shown).toContain('target="_blank"');
      expect(shown).toContain('rel="noopener noreferrer"');
    }
  });

  it.each([
    'javascript:alert(1)',
    'JaVaScRiPt:alert(1)',
    'data:text/html,x',
    'mailto:a@example.org',
    'ftp://example.org',
    '/settings',
    '//evil.example/x',
    '#top',
    'blob:https://example.org/x',
    '',
  ])('that leads elsewhere is its words alone: %s', (address) => {
    expect(html(`[words](<${address}>)`)).toBe('<p><span>words</span></p>');
  });
});

describe('a table', () => {
  const cells = (markdown: string) =>
    [...html(markdown).matchAll(/<tr>(.*?)<\/tr>/g)].map(([, row]) =>
      [...row.matchAll(/<t[hd][^>]*>(.*?)<\/t[hd]>/g)].map(([, cell]) => cell),
    );

  it('has a head, and rows of as many cells', () => {
    const markdown = '| App | SLO |\n| --- | --- |\n| chat | 80 ms |\n| agent |\n| a | b | c |';
    expect(html(markdown)).toContain('<thead><tr><th>App</th><th>SLO</th></tr></thead><tbody>');
    expect(cells(markdown)).toEqual([
      ['App', 'SLO'],
      ['chat', '80 ms'],
      ['agent', ''],
      ['a', 'b'],
    ]);
  });

  it('may be written without the outer pipes, and with empty cells', () => {
    expect(cells('a | b\n--|:-:\n1 | 2\n| | 3 |')).toEqual([
      ['a', 'b'],
      ['1', '2'],
      ['', '3'],
    ]);
    expect(cells('| one |\n|---|\n| 1 |')).toEqual([['one'], ['1']]);
  });

  it('aligns its columns', () => {
    const shown = html('| a | b | c | d |\n|:--|:-:|--:|---|\n| 1 | 2 | 3 | 4 |');
    expect(shown).toContain('<td style="text-align:left">1</td>');
    expect(shown).toContain('<td style="text-align:center">2</td>');
    expect(shown).toContain('<td style="text-align:right">3</td>');
    expect(shown).toContain('<td>4</td>');
  });

  it('holds Markdown in its cells, and pipes after a backslash', () => {
    expect(cells('| **a** | `b \\| c` |\n|---|---|\n| x \\| y | [d](https://e.org) |')).toEqual([
      ['<strong>a</strong>', '<code>b | c</code>'],
      ['x | y', expect.stringMatching(/^<a href="https:\/\/e\.org" .*>d<\/a>$/)],
    ]);
  });

  it('may follow words, and stand in a list', () => {
    const after = html('Here it is:\n| a | b |\n|---|---|\n| 1 | 2 |');
    expect(after).toMatch(/^<p>Here it is:<\/p><div class="table"><table>/);
    expect(html('- x\n\n  | a | b |\n  |---|---|\n  | 1 | 2 |')).toContain(
      '<li><p>x</p><div class="table">',
    );
  });

  it.each([
    'a | b',
    'a | b\n\n---|---',
    '| a | b |\n|---|\n| 1 | 2 |',
    'a\n-',
    '```\n| a | b |\n|---|---|\n```',
    'a | b\n--- | x',
  ])('is none where the row of dashes is missing: %j', (markdown) => {
    expect(html(markdown)).not.toContain('<table>');
  });

  it('elsewhere a pipe after a backslash is what it was', () => {
    expect(html('a \\| b and `c \\| d`')).toBe('<p>a | b and <code>c \\| d</code></p>');
  });
});
