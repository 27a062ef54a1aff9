/** What `writeBuffer` is given after the buffer and the place in it. */
export type WriteRest = [data: GPUAllowSharedBufferSource, dataOffset?: number, size?: number];

/** The bytes that `writeBuffer` would write: offset and size count the elements of a typed array. */
export function writtenBytes(...[data, dataOffset = 0, size]: WriteRest): Uint8Array {
  if (!ArrayBuffer.isView(data)) return new Uint8Array(data, dataOffset, size);
  const unit = 'BYTES_PER_ELEMENT' in data ? Number(data.BYTES_PER_ELEMENT) : 1;
  const length = size === undefined ? data.byteLength - dataOffset * unit : size * unit;
  return new Uint8Array(data.buffer, data.byteOffset + dataOffset * unit, length);
}
