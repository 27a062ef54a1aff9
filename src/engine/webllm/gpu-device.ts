/** A GPU adapter in words. */
export function nameOf(adapter: GPUAdapter | undefined): string {
  const info = adapter?.info;
  return info?.description || [info?.vendor, info?.architecture].filter(Boolean).join(' ') || 'GPU';
}

/** Whether the "GPU" is the CPU: SwiftShader, Mesa's llvmpipe, Windows' WARP. */
export function isSoftwareDevice(adapter: GPUAdapter | undefined): boolean {
  if (adapter === undefined) return false;
  const { info } = adapter;
  const { isFallbackAdapter } = info as { isFallbackAdapter?: boolean };
  if (isFallbackAdapter) return true;
  const words = `${info.vendor} ${info.architecture} ${info.device} ${info.description}`;
  return /swiftshader|llvmpipe|lavapipe|softpipe|basic render|\bwarp\b/i.test(words);
}
