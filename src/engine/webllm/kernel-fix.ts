/** A kernel's text, and its name if a race in it was put right. */
export interface FixedKernel {
  code: string;
  name?: string;
}

/** Puts right the races that are known in WebLLM's prebuilt kernels. */
export function fixKernel(code: string): FixedKernel {
  const fixed = fixCumulativeSum(fixMergeState(code));
  return fixed === code ? { code } : { code: fixed, name: /\bfn (\w+)/.exec(code)?.[1] };
}

const MERGE = /\bfn \w*merge_state\w*\s*\(/;
/** The kernel's last statement: each of 16 threads writes the one element that all of them read. */
const FINAL_WRITE = /\n([ \t]*)(S\[[^;=]*\]\s*=[^;]*;)\s*\n\}\s*$/;

/**
 * `merge_state_inplace_kernel` of the prebuilt libraries of v0_2_48, `tir_attention_merge_state_kernel`
 * in those of v0_2_80, joins the attention to earlier tokens with the attention within a chunk. Its
 * threads along x all read S[row, head] and all write it back, with nothing in between: right only
 * where they run in lockstep. A barrier before the write makes it right everywhere. Text without that
 * very pattern is returned as it is.
 */
export function fixMergeState(code: string): string {
  if (!MERGE.test(code) || code.includes('workgroupBarrier()')) return code;
  return code.replace(FINAL_WRITE, '\n$1workgroupBarrier();\n$1$2\n}\n');
}

const SCAN = /\bfn gpu_2d_continuous_cumsum\w*\s*\(/;
/** A step of the scan: threads from some x on add what a thread before them has. */
const SCAN_STEP =
  /\n([ \t]*)(if \((\d+)i <= i32\(threadIdx\.x\)\) \{)\n([^{}]*)\n[ \t]*\}(?=\n[ \t]*workgroupBarrier\(\);)/g;
/** What a thread adds to its four elements: the last element of a thread before it. */
const ADDED = /\+ vec4<(f\d+)>\((shared_buf\[[^,]*\]), \2, \2, \2\)/;

/**
 * `gpu_2d_continuous_cumsum` of the newer libraries (v0_2_80 and on), with which tokens are drawn on
 * the GPU, adds up probabilities in shared memory. In each of its steps a thread reads what its
 * neighbour writes in the same step: right only where 32 threads run in lockstep, and elsewhere
 * tokens are drawn that should not be. Here all read, then a barrier, then all write. Text without
 * that very pattern is returned as it is.
 */
export function fixCumulativeSum(code: string): string {
  if (!SCAN.test(code)) return code;
  return code.replace(SCAN_STEP, (step: string, indent, condition, from, body: string) => {
    const added = ADDED.exec(body);
    if (added === null) return step;
    const [, type, element] = added;
    const name = `earlier_${from}`;
    return [
      '',
      `var ${name} : ${type};`,
      `${condition} ${name} = ${element}; }`,
      'workgroupBarrier();',
      `${condition}\n${body.replaceAll(element, name)}`,
      '}',
    ].join(`\n${indent}`);
  });
}
