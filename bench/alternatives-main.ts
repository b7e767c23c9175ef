/** `npm run bench:alternatives`: Comanda beside what could be taken instead of it, on the same machine in the same run. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { playAlternatives } from './alternatives.js'
import { HOW_ALTERNATIVES, printAlternatives, summarizeAlternatives } from './alternatives-report.js'
import { build, Comanda } from './comanda.js'
import { type Endings, toTheEnd } from './endings.js'
import { Load } from './load.js'
import { setStage } from './stage.js'

const RESULTS = join(import.meta.dirname, 'results')

/** Load average a core from which on others are in the way. */
const BUSY = 0.25

async function bench (endings: Endings): Promise<void> {
  const text = (usual: string) => ({ type: 'string', default: usual } as const)
  const { values } = parseArgs({ options: { rounds: text('3'), seconds: text('5'), connections: text('256'), 'accept-only': { type: 'boolean', default: false } } })
  const [rounds, seconds, connections] = [values.rounds, values.seconds, values.connections].map(positive) as [number, number, number]
  const busy = loadavg()[0]!
  const folder = mkdtempSync(join(tmpdir(), 'comanda-bench-'))
  endings.add(folder, () => rmSync(folder, { recursive: true, force: true }))
  const [stage] = await Promise.all([setStage(process.env, endings), build()])
  const comanda = new Comanda(stage, folder, [], endings)
  await comanda.startApi()
  const result = await playAlternatives(stage, comanda, new Load(endings), endings, { rounds, seconds, connections, acceptOnly: values['accept-only'] })
  const summary = summarizeAlternatives(result)
  printAlternatives(summary)
  if (busy > cpus().length * BUSY) console.log(`\nATTENTION: the machine was busy before the bench began (load average ${busy.toFixed(2)} on ${cpus().length} cores): these figures are too low, the ratios too`)
  console.log(`\n${HOW_ALTERNATIVES.join('\n')}`)
  const at = new Date().toISOString()
  mkdirSync(RESULTS, { recursive: true })
  const file = join(RESULTS, `alternatives-${at.replaceAll(':', '-')}.json`)
  writeFileSync(file, `${JSON.stringify({ at, load_average_before: busy, services: stage.services, how: HOW_ALTERNATIVES, summary, ...result }, null, 2)}\n`)
  console.log(`\n${file}`)
}

function positive (text: string): number {
  if (!/^[1-9]\d{0,7}$/.test(text)) throw new Error('--rounds, --seconds and --connections are whole numbers above 0')
  return Number(text)
}

await toTheEnd(bench)
