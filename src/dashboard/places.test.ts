import { describe, expect, it } from 'vitest';
import { Places } from './places';

describe('places', () => {
  it('are kept by those who stay, and the first free one goes to the next who comes', () => {
    const places = new Places();
    places.take(['a', 'b', 'c']);
    expect(places.all).toEqual(['a', 'b', 'c']);
    places.take(['b', 'c']);
    expect(places.all).toEqual([undefined, 'b', 'c']);
    places.take(['c', 'd', 'e']);
    expect(places.all).toEqual(['d', 'e', 'c']);
  });

  it('end with the last who has one', () => {
    const places = new Places();
    places.take(['a', 'b', 'c']);
    places.take(['a']);
    expect(places.all).toEqual(['a']);
    places.take([]);
    expect(places.all).toEqual([]);
  });
});
