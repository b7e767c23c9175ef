import { parseArgs } from 'node:util'
import { ROADS } from './roads.js'
import { SWEEPS } from './sweeps.js'

export interface Options {
  rounds: number
  /** Length of one timed load. */
  seconds: number
  connections: number
  /** The backlog that is drained, orders. */
  orders: number
  /** Orders that a list is the first page of. */
  table: number
  /** Orders a second where they come by a schedule. */
  rate: number
  /** Names of the roads to play. */
  only: string[]
  /** Minutes at full load; 0: that road is not played. */
  soak: number
  /** Name of the sweep to play in place of the roads; null: none. */
  sweep: string | null
  /** Points of the sweep above it are left out. */
  largest: number
  /** Where the plot of the sweep goes; null: beside its figures. */
  plot: string | null
  /** Write the HTML page. */
  report: boolean
  /** Write CPU profiles of api and worker; the figures then include the cost of profiling. */
  profile: boolean
}

const USAGE = `npm run bench -- [options]
  --only <list>       roads to play, comma separated (all): ${ROADS.map(({ name }) => name).join(', ')}
  --rounds <n>        every comparison is made this many times (3)
  --seconds <n>       length of one timed load (5)
  --connections <n>   open connections of the load (256)
  --orders <n>        backlog to drain (200000)
  --table <n>         orders that a list is the first page of (1000000)
  --rate <n>          orders a second from end to end (1000)
  --soak <minutes>    full load for so long, for the memory of api and worker
  --quick             one round, 2 seconds, 20000 orders, a table of 100000
  --report            write the HTML page too, with plots
  --sweep <axis>      instead of the roads, how cost grows: ${SWEEPS.map(({ name }) => name).join(', ')}
  --largest <n>       the sweep goes no further
  --plot <file.svg>   where the plot of the sweep goes
  --profile           api and worker leave .cpuprofile files in bench/results (their figures are lower then)
Services of its own are found or started; or give BENCH_DATABASE_URL, BENCH_REDIS_URL, BENCH_AMQP_URL.`

const USUAL = { rounds: 3, seconds: 5, connections: 256, orders: 200_000, table: 1_000_000, rate: 1000, soak: 0 }
const QUICK: typeof USUAL = { ...USUAL, rounds: 1, seconds: 2, orders: 20_000, table: 100_000 }

/** @returns null when only the usage was asked for, and printed @throws Error with the usage for anything unknown */
export function readOptions (args: string[]): Options | null {
  const text = { type: 'string' } as const
  const flag = { type: 'boolean' } as const
  try {
    const { values } = parseArgs({
      args,
      options: { only: text, rounds: text, seconds: text, connections: text, orders: text, table: text, rate: text, soak: text, sweep: text, largest: text, plot: text, quick: flag, report: flag, profile: flag, help: flag }
    })
    if (values.help === true) {
      console.log(USAGE)
      return null
    }
    const usual = values.quick === true ? QUICK : USUAL
    const read = (name: keyof typeof USUAL) => values[name] === undefined ? usual[name] : positive(name, values[name])
    const options: Options = {
      rounds: read('rounds'),
      seconds: read('seconds'),
      connections: read('connections'),
      orders: read('orders'),
      table: read('table'),
      rate: read('rate'),
      soak: read('soak'),
      sweep: readSweep(values.sweep),
      largest: values.largest === undefined ? Infinity : positive('largest', values.largest),
      plot: values.plot ?? null,
      only: readRoads(values.only, values.soak !== undefined),
      report: values.report === true,
      profile: values.profile === true
    }
    if (options.orders < options.connections) throw new Error('--orders must not be below --connections')
    return options
  } catch (error) {
    throw new Error(`${(error as Error).message}\n\n${USAGE}`)
  }
}

/** `soak` is played exactly when its minutes are given. */
function readRoads (list: string | undefined, soak: boolean): string[] {
  const known = ROADS.map(({ name }) => name)
  const asked = list === undefined ? known : list.split(',').map((name) => name.trim())
  for (const name of asked) if (!known.includes(name)) throw new Error(`--only: no road ${name}`)
  if (list !== undefined && asked.includes('soak') && !soak) throw new Error('--only soak wants --soak <minutes>')
  return [...asked.filter((name) => name !== 'soak'), ...(soak ? ['soak'] : [])]
}

function readSweep (name: string | undefined): string | null {
  if (name !== undefined && !SWEEPS.some((sweep) => sweep.name === name)) throw new Error(`--sweep: no axis ${name}`)
  return name ?? null
}

function positive (name: string, text: string): number {
  if (!/^[1-9]\d{0,7}$/.test(text)) throw new Error(`--${name} must be a whole number above 0`)
  return Number(text)
}
