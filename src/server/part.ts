import { TempoError } from '../scheduler';

/** A part of the server that is fetched once it is needed. Throws `network` where it cannot be. */
export async function part<Module>(load: () => Promise<Module>): Promise<Module> {
  try {
    return await load();
  } catch (cause) {
    // That, in every browser, is a module that could not be fetched.
    if (!(cause instanceof TypeError)) throw cause;
    throw new TempoError(
      'network',
      'A part of Tempo could not be fetched. Look whether you are online, then try again.',
      { cause },
    );
  }
}
