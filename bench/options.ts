import { parseArgs } from 'node:util'

export interface Options {
  rounds: number
  /** Length of one timed load. */
  seconds: number
  connections: number
  /** The backlog that is drained, orders. */
  orders: number
  /** Write CPU profiles of api and worker; the figures then include the cost of profiling. */
  profile: boolean
}

const USAGE = `npm run bench -- [options]
  --rounds <n>        every comparison is made this many times (3)
  --seconds <n>       length of one timed load (5)
  --connections <n>   open connections of the load (256)
  --orders <n>        backlog to drain (100000)
  --quick             one round, 2 seconds, 20000 orders
  --profile           api and worker leave .cpuprofile files in bench/results (their figures are lower then)
Services of its own are found or started; or give BENCH_DATABASE_URL, BENCH_REDIS_URL, BENCH_AMQP_URL.`

const USUAL: Options = { rounds: 3, seconds: 5, connections: 256, orders: 100_000, profile: false }
const QUICK: Options = { ...USUAL, rounds: 1, seconds: 2, orders: 20_000 }

/** @returns null when only the usage was asked for, and printed @throws Error with the usage for anything unknown */
export function readOptions (args: string[]): Options | null {
  const text = { type: 'string' } as const
  const flag = { type: 'boolean' } as const
  try {
    const { values } = parseArgs({ args, options: { rounds: text, seconds: text, connections: text, orders: text, quick: flag, profile: flag, help: flag } })
    if (values.help === true) {
      console.log(USAGE)
      return null
    }
    const usual = values.quick === true ? QUICK : USUAL
    const read = (name: 'rounds' | 'seconds' | 'connections' | 'orders') => values[name] === undefined ? usual[name] : positive(name, values[name])
    const options = { rounds: read('rounds'), seconds: read('seconds'), connections: read('connections'), orders: read('orders'), profile: values.profile === true }
    if (options.orders < options.connections) throw new Error('--orders must not be below --connections')
    return options
  } catch (error) {
    throw new Error(`${(error as Error).message}\n\n${USAGE}`)
  }
}

function positive (name: string, text: string): number {
  if (!/^[1-9]\d{0,7}$/.test(text)) throw new Error(`--${name} must be a whole number above 0`)
  return Number(text)
}
