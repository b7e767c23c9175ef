import { parseArgs } from 'node:util'
import { FLAG, readWithUsage, TEXT, wholeNumber } from '../testkit/options.js'
import { PATHS } from './paths/all.js'
import type { Settings } from './settings.js'
import { SWEEPS } from './sweeps/all.js'

const USAGE = `npm run bench -- [options]
  --only <list>       paths to measure, comma separated (all): ${PATHS.map(({ name }) => name).join(', ')}
  --rounds <n>        every comparison is made this many times (3)
  --seconds <n>       length of one timed load (5)
  --connections <n>   open connections of the load (256)
  --orders <n>        backlog to drain (200000)
  --table <n>         orders that a list is the first page of (1000000)
  --rate <n>          orders a second from end to end (1000)
  --soak <minutes>    full load for so long, for the memory of api and worker
  --quick             one round, 2 seconds, 20000 orders, a table of 100000
  --report            write the HTML page too, with plots
  --sweep <axis>      instead of the paths, how cost grows: ${SWEEPS.map(({ name }) => name).join(', ')}
  --largest <n>       the sweep goes no further
  --plot <file.svg>   where the plot of the sweep goes
  --profile           api and worker leave .cpuprofile files in bench/results (their figures are lower then)
Services of its own are found or started; or give BENCH_DATABASE_URL, BENCH_REDIS_URL, BENCH_AMQP_URL.`

const USUAL = { rounds: 3, seconds: 5, connections: 256, orders: 200_000, table: 1_000_000, rate: 1000, soak: 0 }
const QUICK: typeof USUAL = { ...USUAL, rounds: 1, seconds: 2, orders: 20_000, table: 100_000 }

/** @returns null when only the usage was asked for, and printed @throws Error with the usage for anything unknown */
export function readSettings (args: string[]): Settings | null {
  return readWithUsage(args, USAGE, () => {
    const { values } = parseArgs({
      args,
      options: { only: TEXT, rounds: TEXT, seconds: TEXT, connections: TEXT, orders: TEXT, table: TEXT, rate: TEXT, soak: TEXT, sweep: TEXT, largest: TEXT, plot: TEXT, quick: FLAG, report: FLAG, profile: FLAG }
    })
    const usual = values.quick === true ? QUICK : USUAL
    const read = (name: keyof typeof USUAL) => values[name] === undefined ? usual[name] : wholeNumber(name, values[name])
    const settings: Settings = {
      rounds: read('rounds'),
      seconds: read('seconds'),
      connections: read('connections'),
      orders: read('orders'),
      table: read('table'),
      rate: read('rate'),
      soak: read('soak'),
      sweep: readSweep(values.sweep),
      largest: values.largest === undefined ? Infinity : wholeNumber('largest', values.largest),
      plot: values.plot ?? null,
      only: readPaths(values.only, values.soak !== undefined),
      report: values.report === true,
      profile: values.profile === true
    }
    if (settings.orders < settings.connections) throw new Error('--orders must not be below --connections')
    return settings
  })
}

/** `soak` is measured exactly when its minutes are given. */
function readPaths (list: string | undefined, soak: boolean): string[] {
  const known = PATHS.map(({ name }) => name)
  const asked = list === undefined ? known : list.split(',').map((name) => name.trim())
  for (const name of asked) if (!known.includes(name)) throw new Error(`--only: no path ${name}`)
  if (list !== undefined && asked.includes('soak') && !soak) throw new Error('--only soak wants --soak <minutes>')
  return [...asked.filter((name) => name !== 'soak'), ...(soak ? ['soak'] : [])]
}

function readSweep (name: string | undefined): string | null {
  if (name !== undefined && !SWEEPS.some((sweep) => sweep.name === name)) throw new Error(`--sweep: no axis ${name}`)
  return name ?? null
}
