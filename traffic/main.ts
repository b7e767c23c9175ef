/**
 * `npm run traffic`: a shop's day pressed into minutes, against a running service: people register, log in, order, repeat,
 * amend, pay, ship, cancel, read and follow, at moments that are fixed before anything is asked.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks'
import { Asking } from '../testkit/clients/asking.js'
import { Random } from '../testkit/random.js'
import { arrivalsOf } from './arrivals.js'
import { liveLine } from './live-line.js'
import { OpenLoop } from './open-loop.js'
import { type Options, readOptions } from './options.js'
import { writePage } from './page.js'
import { type Ran, type Report, reportOf } from './report.js'
import { Shop } from './shop.js'
import { Tally } from './tally.js'

const HOME = join(import.meta.dirname, '..', '.local', 'traffic')
const TICK_MS = 1000
const LOOP_RESOLUTION_MS = 1
const CANNOT_RUN = 2

async function traffic (options: Options, stopping: AbortSignal): Promise<void> {
  const asking = new Asking(options.to.href, options.inFlight)
  const closing = new AbortController()
  try {
    const shop = new Shop(asking, { random: new Random(options.seed + 1), operator: options.operator, mostFollowers: options.followers, signal: closing.signal })
    await shop.open()
    const { seed, seconds, rate, curve, to } = options
    console.log(`${to.href}, seed ${seed}: ${rate} arrivals a second on average for ${seconds} s${curve === 'day' ? ', a whole day in it' : ''}${options.operator ? '' : '; none pays or ships (--operator)'}`)
    const ran = await run(options, shop, stopping)
    const report = reportOf(options, ran)
    conclude(report, save(options, report, ran.tally))
  } finally {
    closing.abort()
    asking.close()
  }
}

async function run ({ seed, seconds, rate, curve, inFlight }: Options, shop: Shop, signal: AbortSignal): Promise<Ran> {
  const tally = new Tally()
  const [loop, loopNow] = [eventLoopDelay(), eventLoopDelay()]
  const visits = new OpenLoop({
    arrivals: arrivalsOf({ seed: new Random(seed), seconds, rate, curve }),
    most: inFlight,
    async visit (due) {
      const { action, ended } = shop.visit()
      tally.end(action, await ended, performance.now() - due)
    },
    onBegun: (_due, ms) => tally.begin(ms),
    onDropped: () => tally.drop(),
    signal
  })
  const started = performance.now()
  const tick = () => {
    const second = tally.tick(visits.underWay)
    console.log(liveLine(tally.seconds.length, second, tally, delayMs(loopNow.max)))
    loopNow.reset()
  }
  const ticking = setInterval(tick, TICK_MS)
  await visits.run(started)
  clearInterval(ticking)
  tick()
  const took = Math.min(seconds, (performance.now() - started) / 1000)
  return { tally, seconds: took, told: shop.told, loop: { max_ms: delayMs(loop.max), p99_ms: delayMs(loop.percentile(99)) } }
}

function eventLoopDelay (): IntervalHistogram {
  const delay = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS })
  delay.enable()
  return delay
}

/** What it measures is the time from one look to the next: the resolution is no delay. */
function delayMs (nanoseconds: number): number {
  return Math.max(0, nanoseconds / 1e6 - LOOP_RESOLUTION_MS)
}

/** @returns the folder */
function save ({ out, seed }: Options, report: Report, { latency }: Tally): string {
  const folder = resolve(out ?? join(HOME, `${new Date().toISOString().replaceAll(':', '-')}-seed-${seed}`))
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'report.json'), `${JSON.stringify(report, null, 2)}\n`)
  writeFileSync(join(folder, 'report.html'), writePage(report))
  writeFileSync(join(folder, 'latency.hgrm'), latency.outputPercentileDistribution(5, 1000))
  return folder
}

function conclude ({ arrivals, begun, dropped, rate, latency, outcomes, reasons, own, broken }: Report, folder: string): void {
  console.log(`
${arrivals} arrivals: ${begun} begun (${rate.begun} a second), ${dropped} dropped
${Object.entries(outcomes).map(([name, count]) => `${count} ${name}`).join(', ')}
latency from the intended moment, ms: p50 ${latency.p50_ms}, p90 ${latency.p90_ms}, p99 ${latency.p99_ms}, p99.9 ${latency.p99_9_ms}, largest ${latency.max_ms}
begun late by this program, ms: p99 ${own.begun_late.p99_ms}, largest ${own.begun_late.max_ms}; its event loop: p99 ${own.loop_delay_p99_ms}, largest ${own.loop_delay_max_ms}`)
  for (const [reason, count] of Object.entries(reasons)) console.log(`  ${count} x ${reason}`)
  console.log(`${folder}\n${broken.length === 0 ? 'within the bounds' : `NOT within the bounds: ${broken.join('; ')}`}`)
  if (broken.length > 0) process.exitCode = 1
}

/** The first signal ends the arrivals, a second one the program. */
function untilSignal (): AbortSignal {
  const stopping = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort())
  return stopping.signal
}

try {
  const options = readOptions(process.argv.slice(2), process.env)
  if (options !== null) await traffic(options, untilSignal())
} catch (error) {
  console.error((error as Error).message)
  process.exitCode = CANNOT_RUN
}
