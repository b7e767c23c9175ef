/** How much slower this machine is just now than the one on which the limits were chosen; measured by the runner, at least 1. */
export const SLOWNESS = Number(process.env.TEST_SLOWNESS ?? 1)

/** A time limit, as this machine needs it. Milliseconds, whole ones: Node's own limits take no others. */
export function limitOf (ms: number, slowness = SLOWNESS): number {
  return Math.ceil(ms * slowness)
}
