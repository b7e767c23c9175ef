import { badVariables } from '../config.js'
import { weakSecrets } from '../secrets/weak-secrets.js'
import { type Address, addressOf } from './address.js'
import { Notes } from './finding.js'

export type Env = Record<string, string | undefined>

const URLS = ['DATABASE_URL', 'REDIS_URL', 'AMQP_URL'] as const

/** Checks the environment as the processes do, and looks for what they take and an operator would not want. Values are never shown. */
export function examineConfiguration (env: Env): Notes {
  const notes = new Notes('configuration')
  const [api, worker, relay] = [badVariables('api', env), badVariables('worker', env), badVariables('relay', env)]
  for (const [name, sentence] of api) {
    if (relay.has(name)) notes.wrong(name, sentence, 'every process refuses to start: correct it')
    else if (worker.has(name)) notes.wrong(name, sentence, 'api and worker refuse to start: correct it')
    else notes.warn(name, sentence, 'the api refuses to start without it; worker and relay need none')
  }
  if (api.size === 0) notes.ok('environment', `every variable reads well, for ${env.NODE_ENV || 'development'}`)
  noteSecrets(notes, api, env)
  for (const name of URLS) {
    if (env[name] && !api.has(name)) noteUrl(notes, name, env)
  }
  return notes
}

/** Where a service is; null where no good variable says so. */
export function addressIn (env: Env, variable: typeof URLS[number]): { url: string, address: Address } | null {
  const url = env[variable]
  // as outside production: a password that production refuses is no reason to look no further
  const address = url && !badVariables('worker', { ...env, NODE_ENV: '' }).has(variable) ? addressOf(variable, url) : null
  return url && address ? { url, address } : null
}

/** What a process takes all the same: outside production, or of a service that only this machine reaches. */
function noteSecrets (notes: Notes, faults: ReadonlyMap<string, string>, env: Env): void {
  const weak = weakSecrets(env, { loopback: true })
  for (const [name, sentence] of weak) {
    const isUrl = URLS.some((url) => url === name)
    if (!faults.has(name) && (env.NODE_ENV === 'production' || !isUrl)) notes.warn(name, sentence, 'set another one before another machine can reach this one')
  }
  if (!faults.has('JWT_SECRET') && !weak.has('JWT_SECRET')) noteRotation(notes, env.JWT_SECRET ?? '')
}

function noteRotation (notes: Notes, text: string): void {
  if (text === '') return notes.warn('JWT_SECRET', 'missing: each api makes its own at its start', 'set one, or tokens end with the api that gave them')
  const secrets = text.split(',')
  if (new Set(secrets).size < secrets.length) notes.warn('JWT_SECRET', 'the same secret twice: nothing is being rotated', 'make one by `openssl rand -hex 32`; give both, comma separated, while rotating')
  else notes.ok('JWT_SECRET', secrets.length > 1 ? 'two are set: the first signs, both verify' : 'set')
}

function noteUrl (notes: Notes, name: typeof URLS[number], env: Env): void {
  const address = addressOf(name, env[name]!)
  if (name === 'REDIS_URL' && env.NODE_ENV === 'production' && address?.password === '') {
    notes.warn(name, 'holds no password', 'give Redis one (requirepass): whoever reaches it can end sessions, drop views and fill its memory')
  }
}
