/** `npm run bench:alternatives`: Comanda beside what could be taken instead of it, on the same machine in the same run. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Cleanup, withCleanup } from '../../testkit/cleanup.js'
import { wholeNumber } from '../../testkit/options.js'
import { Load } from '../load/load.js'
import { save } from '../results.js'
import { build, Comanda } from '../setup/comanda.js'
import { openEnvironment } from '../setup/environment.js'
import { describeMachine } from '../setup/machine.js'
import { compareAlternatives } from './comparison.js'
import { HOW_ALTERNATIVES, printAlternatives, summarizeAlternatives } from './report.js'

async function bench (cleanup: Cleanup): Promise<void> {
  const text = (usual: string) => ({ type: 'string', default: usual } as const)
  const { values } = parseArgs({ options: { rounds: text('3'), seconds: text('5'), connections: text('256'), 'accept-only': { type: 'boolean', default: false } } })
  const read = (name: 'rounds' | 'seconds' | 'connections') => wholeNumber(name, values[name])
  const options = { rounds: read('rounds'), seconds: read('seconds'), connections: read('connections'), acceptOnly: values['accept-only'] }
  const { busy, load_average_before } = describeMachine()
  const folder = mkdtempSync(join(tmpdir(), 'comanda-bench-'))
  cleanup.add(folder, () => rmSync(folder, { recursive: true, force: true }))
  const [environment] = await Promise.all([openEnvironment(process.env, cleanup), build()])
  const comanda = new Comanda(environment, folder, [], cleanup)
  await comanda.startApi()
  const result = await compareAlternatives(environment, comanda, new Load(cleanup), cleanup, options)
  const summary = summarizeAlternatives(result)
  printAlternatives(summary)
  if (busy !== null) console.log(`\nATTENTION: ${busy}`)
  console.log(`\n${HOW_ALTERNATIVES.join('\n')}\n`)
  const at = new Date().toISOString()
  save(`alternatives-${at}.json`, `${JSON.stringify({ at, load_average_before, services: environment.services, how: HOW_ALTERNATIVES, summary, ...result }, null, 2)}\n`)
}

await withCleanup(bench)
