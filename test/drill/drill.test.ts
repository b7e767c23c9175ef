import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { Verdict } from '../../drill/checker.js'
import { findRabbit } from '../../local/rabbitmq-node.js'
import { findRedis } from '../../local/redis.js'
import { BUILD } from '../support/build.js'
import { limitOf } from '../support/limits.js'
import { type Bug, plantBugs } from '../support/mutants.js'

const missing = [...findRedis(process.env) === null ? ['redis-server'] : [], ...findRabbit(process.env) === null ? ['rabbitmq-server'] : []]
const skip = missing.length > 0 && `no ${missing.join(', no ')} on this machine`
/** Usually a quarter of it; this many processes on a busy machine take their time. */
const LIMIT_MS = limitOf(480_000)
t.setTimeout(LIMIT_MS)

const home = join('.local', 'drill')
mkdirSync(home, { recursive: true })
const folder = mkdtempSync(join(home, 'test-'))
t.teardown(async () => await rm(folder, { recursive: true, force: true }))
const sound = join(BUILD, 'src')

interface Drilled {
  code: number
  printed: string
  report: { telling: Record<'exchange' | 'stream' | 'webhook', { events: number }>, verdict: string, counts: Record<Verdict, number>, figures: { orders_accepted: number, faults: Array<{ fault: string, failure: string }> }, reasons: string[] }
}

async function drill (t: Test, build: string, ...args: string[]): Promise<Drilled> {
  const out = mkdtempSync(join(folder, 'out-'))
  const drilled = await new Promise<{ code: number, printed: string }>((resolve) => {
    const child = execFile(process.execPath, [join(BUILD, 'drill/main.js'), '--build', build, '--out', out, ...args], { timeout: LIMIT_MS }, (_error, stdout, stderr) => {
      resolve({ code: child.exitCode ?? -1, printed: stdout + stderr })
    })
  })
  t.teardown(() => { if (!t.passing()) t.comment(drilled.printed) })
  return { ...drilled, report: JSON.parse(readFileSync(join(out, 'report.json'), 'utf8')) }
}

t.test('the promise holds while a worker, a relay, the broker and the link to Postgres fail', { skip }, async (t) => {
  const plan = '1 worker-1 kill; 2 relay-1 kill; 3 broker drop; 5 worker-postgres silent 2; 8 relay-2 kill; 9 api-1 term'
  const { code, printed, report } = await drill(t, sound, '--seconds', '12', '--seed', '5', '--rate', '100', '--plan', plan)
  t.equal(code, 0)
  t.match(report, { verdict: 'held', reasons: [] })
  t.same(report.figures.faults.map(({ failure }) => failure), ['', '', '', '', '', ''])
  t.ok(report.figures.orders_accepted > 300)
  for (const { events } of Object.values(report.telling)) t.ok(events >= report.figures.orders_accepted, `${events} events told`)
  t.match(printed, /HELD/)
})

t.test('the promise holds while the leader of a cluster is killed and a standby is promoted', { skip }, async (t) => {
  const { code, report } = await drill(t, sound, '--stage', 'cluster', '--seconds', '16', '--rate', '50', '--listeners', 'exchange', '--plan', '2 leader kill_node 2; 12 postgres fail_over')
  t.equal(code, 0)
  t.match(report, { verdict: 'held', reasons: [] })
  t.same(report.figures.faults.map(({ failure }) => failure), ['', ''])
  t.ok(report.figures.orders_accepted > 200)
})

interface Mutant {
  file: string
  bugs: Bug[]
  finds: Verdict
  args: string[]
}

const MUTANTS: Record<string, Mutant> = {
  'a worker that acks before it has booked': {
    file: 'worker/consumer.js',
    bugs: [
      [/channel\.ack\(last, true\)/, 'void 0'],
      [/this\.#gathered\.push\(delivery\)/, 'this.#gathered.push(delivery), channel.ack(message)']
    ],
    finds: 'lost',
    args: ['--seconds', '5', '--plan', '1 postgres pause 2; 2 worker-1 kill; 2 worker-2 kill']
  },
  'an api that answers 202 for what neither broker nor fallback queue took': {
    file: 'broker/intake.js',
    bugs: [[/await this\.#fallback\.add\(serialized\)/, 'await Promise.resolve()']],
    finds: 'lost',
    args: ['--seconds', '4', '--plan', '1 broker down 1']
  },
  'a relay that goes on before the broker has confirmed': {
    file: 'relay/exchange-relay.js',
    bugs: [[/await (this\.#options\.publisher\.publish\(.*\))/, '$1.catch(() => {})']],
    finds: 'untold',
    args: ['--seconds', '4', '--plan', '1 relay-broker lose_requests 2']
  }
}

t.test('planted bugs are found out', { skip }, async (t) => {
  // One after another: several at once are more than a small machine can carry, and then no bug is what is found.
  for (const [name, { file, bugs, finds, args }] of Object.entries(MUTANTS)) {
    const { code, report } = await drill(t, plantBugs(t, file, ...bugs), '--rate', '100', '--mix', 'place', ...args)
    t.equal(code, 1, name)
    t.equal(report.verdict, 'violated')
    t.ok(report.counts[finds] > 0, `${report.counts[finds]} ${finds}`)
    t.match(report.reasons.find((reason) => reason.startsWith(finds)), /: \d+$/)
  }
})
