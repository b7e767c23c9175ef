import { setTimeout as wait } from 'node:timers/promises'

interface Report { readonly status: string, readonly services: Record<string, { readonly state: string }> }

const LOOK_MS = 100
/** A service that does not come up in this time is named, and the rest is ready. */
const PATIENCE_MS = 10_000
const LATE_MS = 30_000

/**
 * Resolves when every process can do its work with all its services, or can for a while with some of them down: with the
 * names of those. Null when `signal` is aborted first.
 * @param onLate told once when it takes long
 */
export async function untilReady (addresses: readonly string[], signal: AbortSignal, onLate: () => void): Promise<string[] | null> {
  const late = setTimeout(onLate, LATE_MS)
  let ableSince: number | null = null
  try {
    while (!signal.aborted) {
      const reports = await Promise.all(addresses.map(async address => await ask(address, signal)))
      const able = reports.every(report => report?.status === 'ready' || report?.status === 'degraded')
      ableSince = able ? ableSince ?? Date.now() : null
      const missing = new Set(reports.flatMap(servicesNotUp))
      if (ableSince !== null && (missing.size === 0 || Date.now() - ableSince > PATIENCE_MS)) return [...missing]
      await wait(LOOK_MS, undefined, { signal }).catch(() => {})
    }
    return null
  } finally {
    clearTimeout(late)
  }
}

async function ask (address: string, signal: AbortSignal): Promise<Report | null> {
  try {
    const answer = await fetch(`${address}/readyz`, { signal: AbortSignal.any([signal, AbortSignal.timeout(1000)]) })
    return await answer.json() as Report
  } catch {
    return null
  }
}

function servicesNotUp (report: Report | null): string[] {
  return Object.entries(report?.services ?? {}).filter(([, { state }]) => state !== 'up' && state !== 'off').map(([name]) => name)
}
