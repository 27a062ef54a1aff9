/** Finds where a JSON value ends in text that comes in pieces. */
export class JsonEnd {
  #depth = 0;
  #inString = false;
  #escaped = false;

  /** The index just past the value's last character, or -1 while there is more to come. */
  scan(text: string): number {
    for (let i = 0; i < text.length; i++) {
      const character = text[i];
      if (this.#escaped) {
        this.#escaped = false;
      } else if (this.#inString) {
        if (character === '\\') this.#escaped = true;
        else if (character === '"') {
          this.#inString = false;
          if (this.#depth === 0) return i + 1;
        }
      } else if (character === '"') {
        this.#inString = true;
      } else if (character === '{' || character === '[') {
        this.#depth++;
      } else if (character === '}' || character === ']') {
        // A number or a word: it ends where what is around it does.
        if (this.#depth === 0) return i;
        if (--this.#depth === 0) return i + 1;
      }
    }
    return -1;
  }
}
