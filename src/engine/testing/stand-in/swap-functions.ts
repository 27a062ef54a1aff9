import { fail } from './fail';
import type { Raw } from './handle';
import type { PagedCache } from './paged-cache';
import type { Tensor } from './tensor';

/**
 * The checkpoint functions, with one page group that holds the whole sequence. As TVM's own tests
 * have them: sequence 0 alone, which an import adds and which is of no use until it is finished.
 */
export function swapFunctions(number: (value: unknown) => number): Record<string, Raw> {
  const attention = 'vm.builtin.attention_kv_cache_';
  let imported: { length: number; tokens?: ArrayLike<number> } | undefined;
  const only = (id: unknown) => {
    if (number(id) !== 0) fail('KV cache checkpoints only support sequence id 0.');
  };
  return {
    [`${attention}get_checkpoint_metadata`]: (cache: PagedCache, id: unknown) => {
      only(id);
      const { length } = cache.read(0);
      const group = {
        group_index: 0,
        layer_begin: 0,
        layer_end: 2,
        shape: [length],
        dtype: 'int32',
      };
      return JSON.stringify({ seq_length: length, groups: [group] });
    },
    [`${attention}export_page_group`]: (
      cache: PagedCache,
      id: unknown,
      _group: unknown,
      to: Tensor,
    ) => {
      only(id);
      to.data.set(cache.read(0));
    },
    [`${attention}prepare_import`]: (_cache: PagedCache, id: unknown, metadata: string) => {
      only(id);
      imported = { length: (JSON.parse(metadata) as { seq_length: number }).seq_length };
    },
    [`${attention}import_page_group`]: (
      _cache: PagedCache,
      id: unknown,
      _group: unknown,
      from: Tensor,
    ) => {
      only(id);
      if (imported === undefined) return fail('The import has not been prepared.');
      imported.tokens = Array.from(from.data);
    },
    [`${attention}finish_import`]: (cache: PagedCache, id: unknown) => {
      only(id);
      if (imported?.tokens === undefined) return fail('The import is missing group 0.');
      cache.add(0);
      cache.write(0, imported.tokens);
      imported = undefined;
    },
  };
}
