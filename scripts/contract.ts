/**
 * The contracts as files: HTTP in openapi.yaml, events in asyncapi.yaml. `npm run openapi` writes both and the typed client; `npm run
 * contract` fails when they are not what the code says, when their lint finds anything, or when one breaks the released one
 * without a word in the changelog; `npm run openapi -- --release` also makes them the released ones.
 */
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { buildApi } from '../src/api.js'
import { loadConfig } from '../src/config.js'
import { asyncapiDocument, asyncapiFaults, brokenEvents } from './asyncapi.js'
import { breakingChanges, unrecorded } from './breaking.js'
import { clientIsCurrent, writeClient } from './client.js'
import { redocly } from './redocly.js'

const CONTRACT = 'openapi.yaml'
const RELEASED = 'docs/contract/released.yaml'
const EVENTS = 'asyncapi.yaml'
const RELEASED_EVENTS = 'docs/contract/released-asyncapi.yaml'

/** No service is needed: an api boots without any. */
async function document (): Promise<string> {
  const app = await buildApi(loadConfig('api', { DATABASE_URL: 'postgres://127.0.0.1:1/none', LOG_LEVEL: 'silent' }, () => 'x'.repeat(32)))
  await app.ready()
  const yaml = app.swagger({ yaml: true })
  await app.close()
  return yaml
}

function faultsOf (yaml: string): string[] {
  if (readFileSync(CONTRACT, 'utf8') !== yaml) return [`${CONTRACT} is not what the routes say: run \`npm run openapi\``]
  const { passed, output, report } = redocly('lint', CONTRACT)
  const broken = unrecorded(breakingChanges(RELEASED, CONTRACT), readFileSync('CHANGELOG.md', 'utf8'))
  return [
    ...(passed ? [] : [output + report]),
    ...broken.map(({ operation, what }) => `${operation}: ${what} This breaks clients of the released contract: undo it, or announce it in CHANGELOG.md with a line that begins with **Breaking** and names \`${operation}\``)
  ]
}

function faultsOfEvents (yaml: string): string[] {
  if (readFileSync(EVENTS, 'utf8') !== yaml) return [`${EVENTS} is not what the code tells: run \`npm run openapi\``]
  const { passed, output, report } = redocly('lint', EVENTS)
  const broken = unrecorded(brokenEvents(readFileSync(RELEASED_EVENTS, 'utf8'), yaml), readFileSync('CHANGELOG.md', 'utf8'))
  return [
    ...asyncapiFaults(yaml),
    ...(passed ? [] : [output + report]),
    ...broken.map(({ operation, what }) => `${operation}: ${what} This breaks consumers of the released events: undo it, or announce it in CHANGELOG.md with a line that begins with **Breaking** and names \`${operation}\``)
  ]
}

const [command, option] = process.argv.slice(2)
const [yaml, events] = [await document(), asyncapiDocument()]
if (command === 'check') {
  const faults = [...faultsOf(yaml), ...faultsOfEvents(events), ...(await clientIsCurrent(CONTRACT) ? [] : ['clients/typescript is not what openapi.yaml says: run `npm run openapi`'])]
  for (const fault of faults) console.error(fault)
  process.exitCode = faults.length > 0 ? 1 : 0
} else {
  writeFileSync(CONTRACT, yaml)
  writeFileSync(EVENTS, events)
  await writeClient(CONTRACT)
  if (option === '--release') {
    copyFileSync(CONTRACT, RELEASED)
    copyFileSync(EVENTS, RELEASED_EVENTS)
  }
}
