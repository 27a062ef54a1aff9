const KERNEL = /fn merge_state_inplace_kernel\s*\(/;
/** The kernel's last statement: each of 16 threads writes the one element that all of them read. */
const FINAL_WRITE = /\n([ \t]*)(S\[[^;=]*\]\s*=[^;]*;)\s*\n\}\s*$/;

/**
 * `merge_state_inplace_kernel` of the prebuilt libraries (all of v0_2_48) joins the attention to
 * earlier tokens with the attention within a chunk. Its threads along x all read S[row, head] and
 * all write it back, with nothing in between: right only where they run in lockstep. A barrier
 * before the write makes it right everywhere. Text without that very pattern is returned as it is.
 */
export function fixMergeState(code: string): string {
  if (!KERNEL.test(code) || code.includes('workgroupBarrier()')) return code;
  return code.replace(FINAL_WRITE, '\n$1workgroupBarrier();\n$1$2\n}\n');
}
