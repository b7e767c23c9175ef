import { escapeSteering } from '../src/logs/terminal.js'

interface Line {
  readonly time: string
  readonly level: string
  readonly event?: string
  readonly msg: string
  readonly service?: string
  readonly method?: string
  readonly route?: string
  readonly status?: number
  readonly duration_ms?: number
  readonly reason?: string
  readonly err?: { readonly stack?: string }
}

const COLOURS: Record<string, number> = { debug: 2, trace: 2, warn: 33, error: 31, fatal: 31 }

/**
 * A log line as a person at a terminal reads it; null for one that says nothing to them. What is no log line (Node's own
 * warnings, a stack) is shown as it is.
 * @param readyAt what was written until then of requests and of services that come up is nothing new; null: it is not ready yet
 */
export function lineForPeople (name: string, text: string, { readyAt, colours }: { readyAt: Date | null, colours: boolean }): string | null {
  const line = parsed(text)
  if (line === null) return `${' '.repeat(9)}${name.padEnd(7)} ${escapeSteering(text)}`
  const { level, event, service } = line
  const time = new Date(line.time)
  // A process' line may be read after its readiness was seen: what counts is when it was written.
  const isNews = readyAt !== null && time > readyAt && (event === 'request' || service !== undefined)
  if (level === 'info' && !isNews) return null
  const shown = escapeSteering(`${time.toTimeString().slice(0, 8)} ${name.padEnd(7)} ${saidBy(line)}`)
  const colour = COLOURS[level]
  return colours && colour !== undefined ? `\u001b[${colour}m${shown}\u001b[0m` : shown
}

function saidBy ({ level, event, msg, method = '', route, status, duration_ms, reason, err }: Line): string {
  const said = event === 'request' ? `${method} ${route} ${status} ${duration_ms} ms` : msg
  const stack = level === 'debug' ? undefined : err?.stack
  return said + (reason === undefined ? '' : ` (${reason})`) + (stack === undefined ? '' : `\n${stack}`)
}

function parsed (text: string): Line | null {
  try {
    const line = JSON.parse(text) as Line | null
    return typeof line?.msg === 'string' && typeof line.level === 'string' ? line : null
  } catch {
    return null
  }
}
