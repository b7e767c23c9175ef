import { setTimeout as wait } from 'node:timers/promises'

export interface Report { readonly status: string, readonly services: Record<string, { readonly state: string }> }

const LOOK_MS = 100

export interface Patience {
  /** Milliseconds for a service to come up; then it is named, and the rest is ready. */
  readonly serviceMs: number
  /** Milliseconds after which it is told that all takes long. */
  readonly lateMs: number
}

/**
 * Resolves when every process can do its work with all its services, or can for a while with some of them down: with the
 * names of those. Null when `signal` is aborted first.
 * @param onLate told once
 */
export async function untilReady (addresses: readonly string[], signal: AbortSignal, onLate: () => void, patience: Patience = { serviceMs: 10_000, lateMs: 30_000 }): Promise<string[] | null> {
  const late = setTimeout(onLate, patience.lateMs)
  let ableSince: number | null = null
  try {
    while (!signal.aborted) {
      const reports = await Promise.all(addresses.map(async address => await readReport(address, signal)))
      const able = reports.every(report => report?.status === 'ready' || report?.status === 'degraded')
      ableSince = able ? ableSince ?? Date.now() : null
      const missing = new Set(reports.flatMap(servicesNotUp))
      if (ableSince !== null && (missing.size === 0 || Date.now() - ableSince > patience.serviceMs)) return [...missing]
      await wait(LOOK_MS, undefined, { signal }).catch(() => {})
    }
    return null
  } finally {
    clearTimeout(late)
  }
}

/** What a process says of itself; null when it does not answer. */
export async function readReport (address: string, signal: AbortSignal): Promise<Report | null> {
  try {
    const answer = await fetch(`${address}/readyz`, { signal: AbortSignal.any([signal, AbortSignal.timeout(1000)]) })
    return await answer.json() as Report
  } catch {
    return null
  }
}

export function servicesNotUp (report: Report | null): string[] {
  return Object.entries(report?.services ?? {}).filter(([, { state }]) => state !== 'up' && state !== 'off').map(([name]) => name)
}
