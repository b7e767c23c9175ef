import { readReport, servicesNotUp, untilReady as untilAllReady } from '../local/readiness.js'
import { endOf } from './processes.js'

/** A process of the product whose /readyz is asked. */
export interface Watched {
  name: string
  /** As http://127.0.0.1:3000. */
  address: string
  log: string
  /** Of one that nothing starts again: it is not waited for any longer. */
  ended?: Promise<unknown>
}

/**
 * Resolves when every process is ready and has all its services: the word `ready` alone may come before the first service is
 * heard of. @throws Error naming those that are not after so many milliseconds, or when one has ended, with the end of its log
 */
export async function untilReady (processes: readonly Watched[], limitMs: number): Promise<void> {
  const over = new AbortController()
  const giveUp = () => over.abort()
  const limit = setTimeout(giveUp, limitMs)
  for (const { ended } of processes) void ended?.then(giveUp)
  const missing = await untilAllReady(processes.map(({ address }) => address), over.signal, () => {}, { serviceMs: Infinity, lateMs: limitMs })
  clearTimeout(limit)
  if (missing !== null) return
  const reasons = await Promise.all(processes.map(async (one) => ({ ...one, why: await whyNot(one.address) })))
  throw new Error(`not ready: ${reasons.filter(({ why }) => why !== '').map(({ name, why, log }) => `${name} (${why}); the end of its log:\n${endOf(log)}`).join('\n')}`)
}

/** '' when it is ready by now */
async function whyNot (address: string): Promise<string> {
  const report = await readReport(address, AbortSignal.timeout(1000))
  if (report === null) return 'no answer'
  const away = servicesNotUp(report)
  return report.status === 'ready' && away.length === 0 ? '' : `${report.status}${away.length > 0 ? `, without ${away.join(' and ')}` : ''}`
}
