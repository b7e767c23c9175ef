/** Twice what a publisher of ours puts into a message: whatever is larger is none of ours, and is not even verified. Bytes. */
export const LARGEST_MESSAGE = 256 * 1024
const KEPT = 64 * 1024

/** Why a message is too large, null where it is not. */
export function oversizedReason (content: Buffer): string | null {
  return content.length > LARGEST_MESSAGE ? `oversized: ${content.length} bytes, of which the first ${KEPT} are kept` : null
}

/** A copy of its beginning, which does not keep the rest in memory. */
export function beginningOf (content: Buffer): Buffer {
  return Buffer.from(content.subarray(0, KEPT))
}
