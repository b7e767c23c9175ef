import { fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { WholeCost } from '../../bench/placing/whole-cost.js'
import { freshFolder } from '../support/folders.js'

const skip = !existsSync('/proc/self/stat') && 'no /proc on this machine'
/** Burns so much processor time, milliseconds, and says what it has taken in all, microseconds. */
const BURNER = `process.on('message', (ms) => {
  const total = () => { const { user, system } = process.cpuUsage(); return user + system }
  const before = total()
  while (total() - before < ms * 1000);
  process.send(total())
})
process.send(0)`
/** The kernel counts in hundredths of a second. */
const TICK_US = 10_000

t.test('a process costs what it has taken since, for each order, under the name of its part; others are not counted', { skip }, async (t) => {
  const script = join(freshFolder(t), 'burner.cjs')
  writeFileSync(script, BURNER)
  const [ours, other] = [fork(script), fork(script)]
  t.teardown(() => [ours, other].forEach((child) => child.kill('SIGKILL')))
  await Promise.all([once(ours, 'message'), once(other, 'message')])
  const burn = async (child: typeof ours, ms: number) => {
    child.send(ms)
    return (await once(child, 'message') as [number])[0]
  }
  const before = await burn(ours, 50)
  const cost = WholeCost.begin({ api: [ours.pid!] })
  const costOfBoth = WholeCost.begin({ api: [ours.pid!], load: [other.pid!] })
  await burn(other, 300)
  const took = await burn(ours, 200) - before
  const { all, parts } = cost.each(10)!
  const both = costOfBoth.each(10)!
  t.ok(Math.abs(parts.api! * 10 - took) <= 2 * TICK_US, `${parts.api! * 10} of ${took}`)
  t.ok(Math.abs(all - Object.values(parts).reduce((sum, part) => sum + part, 0)) < 1e-6)
  t.ok(both.parts.load! * 10 >= 300_000 - 2 * TICK_US && (both.all - all) * 10 > 200_000, `with the other ${both.all}, without ${all}`)
  for (const part of Object.keys(parts)) t.ok(['api', 'Postgres', 'Redis', 'RabbitMQ'].includes(part), part)
})
