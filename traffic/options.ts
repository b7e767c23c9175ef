import { parseArgs } from 'node:util'
import { FLAG, readWithUsage, TEXT, wholeNumber } from '../testkit/options.js'
import { type Curve, CURVES } from './arrivals.js'

/** What the exit code says was kept. */
export interface Bounds {
  /** null: none */
  p99_ms: number | null
  failed_percent: number
  dropped_percent: number
}

export interface Options {
  /** Of an api, or of what stands in front of it. */
  to: URL
  seconds: number
  /** Arrivals a second, on average. */
  rate: number
  curve: Curve
  seed: number
  /** Visits under way at a time, at most. */
  inFlight: number
  /** Streams held open at a time, at most. */
  followers: number
  operator: { nick_name: string, password: string } | null
  bounds: Bounds
  /** Where the report goes; null: a folder of its own below .local/traffic. */
  out: string | null
}

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/
const PASSWORD_VARIABLE = 'TRAFFIC_OPERATOR_PASSWORD'

const USAGE = `npm run traffic -- [options]
  --to <url>            where (http://127.0.0.1:3000)
  --yes-i-own-it        needed for anything but this machine
  --seconds <n>         length; with --curve day a whole day is pressed into it (120)
  --rate <n>            arrivals a second, on average (50)
  --curve flat          the same rate all the time (day)
  --seed <n>            the same seed has the same arrivals (1)
  --in-flight <n>       visits under way at a time; an arrival beyond is dropped (three times the rate, at least 256)
  --followers <n>       streams held open at a time (20)
  --operator <name>     who pays and ships; the password is in ${PASSWORD_VARIABLE} (none does)
  --p99 <ms>            bound: 99 % are answered within that, from the moment they were meant for
  --failed <percent>    bound: so many fail at most (0)
  --dropped <percent>   bound: so many arrivals are dropped at most (0)
  --out <folder>        where report.json, report.html and latency.hgrm go
Exit code 0: within the bounds; 1: not; 2: it could not be run. Ctrl-C ends it early, with its report.`

/** @returns null when only the usage was asked for, and printed @throws Error with the usage for anything unknown */
export function readOptions (args: string[], env: NodeJS.ProcessEnv): Options | null {
  return readWithUsage(args, USAGE, () => {
    const { values } = parseArgs({
      args,
      options: { to: TEXT, 'yes-i-own-it': FLAG, seconds: TEXT, rate: TEXT, curve: TEXT, seed: TEXT, 'in-flight': TEXT, followers: TEXT, operator: TEXT, p99: TEXT, failed: TEXT, dropped: TEXT, out: TEXT }
    })
    const rate = wholeNumber('rate', values.rate ?? '50')
    return {
      to: readTarget(values.to ?? 'http://127.0.0.1:3000', values['yes-i-own-it'] === true),
      seconds: wholeNumber('seconds', values.seconds ?? '120'),
      rate,
      curve: readCurve(values.curve),
      seed: wholeNumber('seed', values.seed ?? '1'),
      inFlight: wholeNumber('in-flight', values['in-flight'] ?? String(Math.max(256, rate * 3))),
      followers: wholeNumber('followers', values.followers ?? '20'),
      operator: readOperator(values.operator, env),
      bounds: {
        p99_ms: values.p99 === undefined ? null : wholeNumber('p99', values.p99),
        failed_percent: percent('failed', values.failed),
        dropped_percent: percent('dropped', values.dropped)
      },
      out: values.out ?? null
    }
  })
}

function readTarget (text: string, owned: boolean): URL {
  const to = URL.parse(text)
  if (to === null || !['http:', 'https:'].includes(to.protocol)) throw new Error(`--to: ${text} is no address as http://127.0.0.1:3000`)
  if (!LOOPBACK.test(to.hostname) && !owned) throw new Error(`--to: ${to.hostname} is not this machine. Traffic harms what it meets: say --yes-i-own-it if it is yours to harm`)
  return to
}

function readCurve (name = 'day'): Curve {
  const curve = CURVES.find((each) => each === name)
  if (curve === undefined) throw new Error(`--curve: there are ${CURVES.join(', ')}`)
  return curve
}

function readOperator (nick_name: string | undefined, env: NodeJS.ProcessEnv): Options['operator'] {
  if (nick_name === undefined) return null
  const password = env[PASSWORD_VARIABLE]
  if (!password) throw new Error(`--operator: the password of ${nick_name} belongs into ${PASSWORD_VARIABLE}`)
  return { nick_name, password }
}

function percent (name: string, text = '0'): number {
  const value = /^\d{1,3}(\.\d+)?$/.test(text) ? Number(text) : NaN
  if (!(value <= 100)) throw new Error(`--${name} must be a number from 0 to 100`)
  return value
}
