/**
 * Opens the grammar worker of the package, a file beside the one that this is in. That is an address and
 * no more, so that bundlers copy it, and it may be of another origin. Throws where a policy forbids it.
 */
export function openWorker(): Worker {
  const told = new URL('./grammars.js', import.meta.url).href; // a path, as Turbopack has it
  const { href, origin } = new URL(told, location.href);
  const address = origin === location.origin ? href : importing(href);
  return new Worker(trusted(address), { type: 'module', name: 'tempo-grammars' });
}

/** A script of this origin that is nothing but the other. */
function importing(address: string): string {
  const source = `import ${JSON.stringify(address)};`;
  return URL.createObjectURL(new Blob([source], { type: 'text/javascript' }));
}

interface TrustedTypePolicy {
  createScriptURL(url: string): string;
}

let policy: TrustedTypePolicy | undefined;

/** As a script's address, by the policy that a page's `trusted-types` allows to its client, too. */
function trusted(url: string): string {
  const { trustedTypes } = globalThis as {
    trustedTypes?: { createPolicy(name: string, rules: TrustedTypePolicy): TrustedTypePolicy };
  };
  policy ??= trustedTypes?.createPolicy('tempo-llm', { createScriptURL: (same) => same });
  return policy?.createScriptURL(url) ?? url;
}
