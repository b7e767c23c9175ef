/**
 * `npm test`: gets real services, gives every test file a virtual host of its own, runs tap, and ends with the plain counts.
 * Arguments go to tap: `npm test -- test/worker/batch.test.ts`. With TEST_NEEDS_ALL=1 a missing service or a skipped
 * test is a failure. Personal data in a log line is always one, and a line that breaks the contract of docs/logs.md.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { findServices, testStateDir } from '../local/services.js'
import { createVirtualHosts, deleteVirtualHosts } from '../local/vhosts.js'
import { countTests, failuresIn } from './support/counts.js'
import { createTemplate, dropTemplate } from './support/databases.js'
import { logFaults } from './support/log-lines.js'
import { searchLogs } from './support/personal-data.js'
import { vhostOf } from './support/place.js'

const { env } = process
const started = Date.now()
const run = `comanda_test_${process.pid}`
const services = await findServices({ env, purpose: 'test', stateDir: testStateDir(), say: (line) => console.log(line) })
const folder = mkdtempSync(join(tmpdir(), 'comanda-tap-'))
const logs = join(folder, 'logs')
mkdirSync(logs)
const files = readdirSync('test', { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.test.ts'))
const vhosts = files.map((file) => vhostOf(run, join('test', file.replace(/\.ts$/, '.js'))))
let failed = true
try {
  if (services.postgres.url === null) throw new Error('the tests need Postgres; everything else may be missing')
  await createTemplate(services.postgres.url, run)
  const own = await createVirtualHosts(services.rabbitmq, vhosts)
  if (services.rabbitmq.url !== null && !own) console.log('RabbitMQ: no virtual hosts of our own can be made there: the tests run one file at a time')
  failed = await runTap({
    ...env,
    TEST_RUN: run,
    TEST_LOGS: logs,
    TEST_POSTGRES: services.postgres.url,
    TEST_REDIS: services.redis.url ?? '',
    TEST_RABBITMQ: services.rabbitmq.url ?? '',
    TEST_OWN_VHOSTS: own ? '1' : ''
  }, own || services.rabbitmq.url === null)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
} finally {
  if (services.postgres.url !== null) await dropTemplate(services.postgres.url, run)
  await deleteVirtualHosts(services.rabbitmq, vhosts)
  await services.stop()
  rmSync(folder, { recursive: true, force: true })
}
process.exit(failed ? 1 : 0)

/** @returns whether anything failed */
async function runTap (testEnv: NodeJS.ProcessEnv, parallel: boolean): Promise<boolean> {
  const output = join(folder, 'output.tap')
  const jobs = parallel ? Math.min(availableParallelism(), 4) : 1
  const tap = spawn(process.execPath, ['node_modules/tap/dist/esm/run.mjs', 'run', `--output-file=${output}`, `--jobs=${jobs}`, '--disable-coverage', ...(process.stdout.isTTY ? [] : ['--reporter=terse']), ...process.argv.slice(2)], { stdio: 'inherit', env: testEnv })
  const [code] = await once(tap, 'exit') as [number | null]
  const written = readFileSync(output, 'utf8')
  const { passed, failed, skipped, reasons } = countTests(written)
  // Once more and last, in plain lines: what the reporter drew may be far above, or drawn over.
  for (const failure of failuresIn(written)) console.log(failure)
  for (const reason of reasons) console.log(`skipped: ${reason}`)
  const missing = [services.postgres, services.redis, services.rabbitmq].filter(({ url }) => url === null)
  const incomplete = env.TEST_NEEDS_ALL === '1' && (missing.length > 0 || skipped > 0)
  if (incomplete) console.error(`TEST_NEEDS_ALL: missing ${missing.map(({ name }) => name).join(', ') || 'nothing'}, skipped ${skipped}`)
  const whole = process.argv.slice(2).every((argument) => argument.startsWith('-'))
  const leaks = [...searchLogs(logs, whole), ...logFaults(logs)]
  for (const leak of leaks) console.error(leak)
  console.log(`${Math.round((Date.now() - started) / 100) / 10} s`)
  console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
  return code !== 0 || failed > 0 || incomplete || leaks.length > 0 || passed === 0
}
