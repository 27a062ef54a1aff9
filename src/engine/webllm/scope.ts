import type { TvmInstance } from './internals';

/** Runs `work` in a scope of its own: TVM objects it makes and does not detach are freed after it. */
export function inScope<T>(tvm: TvmInstance, work: () => T): T {
  tvm.beginScope();
  try {
    return work();
  } finally {
    tvm.endScope();
  }
}
