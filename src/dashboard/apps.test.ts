import { describe, expect, it } from 'vitest';
import { TempoError } from '../client';
import { checkApps, Roster } from './apps';

const colors = (roster: Roster) => roster.all.map(({ color }) => color);

describe('the apps of a dashboard', () => {
  it('are those that are configured, and then others as they appear', () => {
    const roster = new Roster();
    roster.of('seen');
    roster.configure({ chat: { label: 'The chat' }, agent: {} });
    expect(roster.all.map(({ name, label }) => [name, label])).toEqual([
      ['chat', 'The chat'],
      ['agent', 'agent'],
      ['seen', 'seen'],
    ]);
    expect(roster.indexOf('seen')).toBe(2);
    roster.configure({ seen: { label: 'Seen' } });
    expect(roster.all.map(({ label }) => label)).toEqual(['Seen']);
  });

  it('have colours by their names, each its own while there are enough', () => {
    const names = ['chat', 'agent', 'search', 'writer', 'titles', 'bulk', 'editor', 'vision'];
    const roster = new Roster();
    for (const name of names) roster.of(name);
    expect(new Set(colors(roster)).size).toBe(8);
    const alone = names.map((name) => new Roster().of(name).color);
    expect(roster.of('chat').color).toBe(alone[0]);
    expect(new Set(alone).size).toBeGreaterThan(3);
    roster.of('one more');
    expect(colors(roster)[8]).toMatch(/^var\(--app-[1-8]\)$/);
  });

  it('do not take a colour that the page has given to another', () => {
    const own = new Roster().of('chat').color;
    const roster = new Roster();
    roster.configure({ agent: { color: own } });
    expect(roster.of('chat').color).not.toBe(own);
  });

  it('may be called anything', () => {
    const roster = new Roster();
    for (const name of ['', '__proto__', 'toString', 'constructor']) {
      expect(roster.of(name)).toMatchObject({ name, label: name, lanes: 2 });
    }
  });

  it('are checked, and what is wrong is named', () => {
    const param = (apps: string) => {
      try {
        checkApps(JSON.parse(apps));
      } catch (error) {
        return error instanceof TempoError ? `${error.code} ${error.param}` : error;
      }
      return undefined;
    };
    expect(param('"chat"')).toBe('invalid_request apps');
    expect(param('{"":{}}')).toBe('invalid_request apps');
    expect(param('{"chat":null}')).toBe('invalid_request apps.chat');
    expect(param('{"chat":{"colour":"red"}}')).toBe('invalid_request apps.chat.colour');
    expect(param('{"chat":{"toString":"red"}}')).toBe('invalid_request apps.chat.toString');
    expect(param('{"chat":{"lanes":0}}')).toBe('invalid_request apps.chat.lanes');
    expect(param('{"chat":{"lanes":null,"label":null,"color":null}}')).toBeUndefined();
    expect(param('null')).toBeUndefined();
  });
});
