import { ownOrigin } from '../src/addresses/own-address.js'
import { untilReady } from './readiness.js'
import type { Screen } from './screen.js'
import type { Env } from './service.js'

/** Says where everything is, once it is there. */
export async function announce (screen: Screen, env: Env, operator: string, signal: AbortSignal): Promise<void> {
  const [api, worker, relay] = [addressOf(env, env.PORT || '3000'), addressOf(env, env.WORKER_PORT || '3001'), addressOf(env, env.RELAY_PORT || '3003')]
  const missing = await untilReady([api, worker, relay], signal, () => screen.complain('still not ready: `npm run comanda -- doctor`, in another terminal, says what is wrong'))
  if (missing === null) return
  const without = missing.length === 0 ? '' : `, without ${missing.join(' and ')}: \`npm run comanda -- doctor\` says why`
  screen.ready(`
Comanda is ready${without}
  api       ${api}
  docs      ${api}/docs
  console   ${api}/console/
  worker    ${worker}/readyz
  relay     ${relay}/readyz
  operator  ${operator}
  commands  npm run comanda -- doctor | logs --errors | parked list | --help
Ctrl-C stops everything.
`)
}

function addressOf (env: Env, port: string): string {
  return ownOrigin(env.HOST || '127.0.0.1', port)
}
