/** Page accounting and prefix sharing: which sequences' keys and values are in the cache. Pure. */
export * from './page-ledger';
export * from './radix-tree';
export * from './sequence-table';
