/**
 * `npm test`: gets real services and runs the test files over them (`npm test -- --help`), each in a process, a database and a
 * virtual host of its own; it ends with the plain counts. With TEST_NEEDS_ALL=1 a missing service or a skipped test is a failure.
 * Personal data in a log line is always one, a line that breaks the contract of docs/logs.md, and a process that a file left behind.
 */
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findServices, type LocalServices, testStateDir } from '../local/services.js'
import { createVirtualHosts, deleteVirtualHosts } from '../local/vhosts.js'
import { createTemplate, dropAbandonedDatabases, dropDatabases } from '../testkit/databases.js'
import { type FileRun, runFile } from './runner/file-run.js'
import { slowness } from './runner/machine.js'
import { type Options, readOptions } from './runner/options.js'
import { conclude, told } from './runner/report.js'
import { keepTimes, schedule } from './runner/schedule.js'
import { vhostOf } from './support/place.js'

const { env } = process
const stopping = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stopping.abort(signal))

/** @returns whether all was green */
async function runOnce (services: LocalServices, options: Options, time: number): Promise<boolean> {
  const run = `comanda_test_${process.pid}_${time}`
  const slow = slowness()
  const { together, alone } = schedule(options.files, options)
  const vhosts = options.files.filter((file) => readFileSync(file, 'utf8').includes('support/place.js')).map((file) => vhostOf(run, file))
  const folder = mkdtempSync(join(tmpdir(), 'comanda-files-'))
  chmodSync(folder, 0o711) // Postgres runs as another user where we are root
  const logs = join(folder, 'logs')
  mkdirSync(logs)
  const started = performance.now()
  console.log(`${options.files.length} files, ${options.jobs} at a time, ${options.order === 'random' ? 'in random order' : 'the slowest first'}, seed ${options.seed}; time limits times ${slow}, as fast as this machine is now`)
  try {
    await createTemplate(services.postgres.url!, run)
    const own = await createVirtualHosts(services.rabbitmq, vhosts)
    const jobs = own || services.rabbitmq.url === null ? options.jobs : 1
    if (jobs !== options.jobs) console.log('RabbitMQ: no virtual hosts of our own can be made there: the tests run one file at a time')
    const setting = {
      folder,
      slowness: slow,
      signal: stopping.signal,
      env: {
        ...env,
        TEST_RUN: run,
        TEST_LOGS: logs,
        TEST_SEED: String(options.seed),
        TEST_SLOWNESS: String(slow),
        TEST_POSTGRES: services.postgres.url!,
        TEST_REDIS: services.redis.url ?? '',
        TEST_RABBITMQ: services.rabbitmq.url ?? '',
        TEST_OWN_VHOSTS: own ? '1' : ''
      }
    }
    const runs: FileRun[] = []
    const next = async (queue: string[]): Promise<void> => {
      for (let file = queue.shift(); file !== undefined && !stopping.signal.aborted; file = queue.shift()) {
        const one = await runFile(file, setting)
        runs.push(one)
        console.log(told(one))
      }
    }
    await Promise.all(Array.from({ length: jobs }, async () => await next(together)))
    await next(alone)
    if (stopping.signal.aborted) return false
    keepTimes(runs)
    return conclude(runs, { services, logs, whole: options.whole, needsAll: env.TEST_NEEDS_ALL === '1', ms: performance.now() - started })
  } finally {
    await dropDatabases(services.postgres.url!, run)
    await deleteVirtualHosts(services.rabbitmq, vhosts)
    rmSync(folder, { recursive: true, force: true })
  }
}

async function main (): Promise<boolean> {
  const options = readOptions(process.argv.slice(2))
  if (options === null) return true
  const services = await findServices({ env, purpose: 'test', stateDir: testStateDir(), say: (line) => console.log(line) })
  try {
    if (services.postgres.url === null) throw new Error('the tests need Postgres; everything else may be missing')
    await dropAbandonedDatabases(services.postgres.url, 'comanda_test')
    for (let time = 1; time <= options.repeat; time++) {
      if (options.repeat > 1) console.log(`\ntime ${time} of ${options.repeat}`)
      if (!await runOnce(services, options, time)) return false
    }
    return true
  } finally {
    await services.stop()
  }
}

const green = await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error)
  return false
})
if (stopping.signal.aborted) console.error(`ended by ${String(stopping.signal.reason)}`)
process.exit(green ? 0 : 1)
