import type { Line } from './parse.js'
import type { Reason } from './reasons.js'
import { escapeSteering } from './terminal.js'

/** On every line, and missed by no reader. */
const LEFT_OUT = new Set(['time', 'level', 'name', 'msg', 'version', 'pid', 'order_ids', 'request_ids'])
const COLOURS: Record<string, number> = { warn: 33, error: 31, fatal: 31 }
const PLAIN = /^[^\s"]+$/

export interface Shown {
  /** The line that the story began with: how long after it is shown. */
  since?: Line | undefined
  /** Of a terminal */
  colours: boolean
}

/** Unix milliseconds. A request's line is written when it is answered, and a worker may have booked the order by then. */
export function beganAt ({ time, event, duration_ms: duration = 0 }: Line): number {
  return Date.parse(time) - (event === 'request' ? duration : 0)
}

/** A line for people: when, who, what, then its keys. Whatever a line holds, it cannot steer the terminal. */
export function showLine (line: Line, { since, colours }: Shown): string {
  const after = since ? `+${millis(Date.parse(line.time) - beganAt(since))} ms`.padStart(11) : ''
  const head = [value(line.time), after, value(line.name).padEnd(6), value(line.level).padEnd(5), message(line)]
  const keys = Object.entries(line).filter(([key]) => !LEFT_OUT.has(key) && !isInMessage(line, key)).map(([key, one]) => `${value(key)}=${value(key === 'err' ? errorOf(one) : one)}`)
  const text = [...head.filter((part) => part !== ''), ...keys].join('  ')
  const colour = COLOURS[line.level]
  return colours && colour !== undefined ? `\u001b[${colour}m${text}\u001b[0m` : text
}

export function showReason ({ reason, count, first, last, example }: Reason, colours: boolean): string {
  return `${String(count).padStart(7)} x  ${text(reason)}  (${value(first)} to ${value(last)})\n           ${showLine(example, { colours })}`
}

/** A request is shown as it was asked. */
function message (line: Line): string {
  if (line.event !== 'request') return text(line.msg)
  return ['request', line.method, line.route, line.status].filter((part) => part !== undefined).map(value).join(' ')
}

function isInMessage ({ event }: Line, key: string): boolean {
  return event === 'request' && ['event', 'method', 'route', 'status'].includes(key)
}

/** The stack is for --json. */
function errorOf (err: unknown): unknown {
  const { message = err, code } = (err ?? {}) as { message?: unknown, code?: unknown }
  return code === undefined ? message : `${String(code)}: ${String(message)}`
}

function value (one: unknown): string {
  return typeof one === 'string' && PLAIN.test(one) && escapeSteering(one) === one ? one : escapeSteering(JSON.stringify(one) ?? '')
}

function text (one: string): string {
  return escapeSteering(JSON.stringify(one).slice(1, -1).replaceAll('\\"', '"'))
}

function millis (ms: number): string {
  return Number.isFinite(ms) ? ms.toFixed(0) : '?'
}
