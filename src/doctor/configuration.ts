import { badVariables } from '../config.js'
import { type Address, addressOf } from './address.js'
import { Notes } from './finding.js'

export type Env = Record<string, string | undefined>

const URLS = ['DATABASE_URL', 'REDIS_URL', 'AMQP_URL'] as const
/** Fewer different characters than a random secret has. */
const FEW_CHARACTERS = 8
/** Those of docker-compose.yml, and those that servers are delivered with. */
const DEFAULT_PASSWORDS = new Set(['development-only', 'guest', 'postgres', 'comanda', 'password', 'secret', 'admin', 'changeme'])

/** Checks the environment as the processes do, and looks for what they take and an operator would not want. Values are never shown. */
export function examineConfiguration (env: Env): Notes {
  const notes = new Notes('configuration')
  const [api, worker] = [badVariables('api', env), badVariables('worker', env)]
  for (const [name, sentence] of api) {
    if (worker.has(name)) notes.wrong(name, sentence, 'api and worker refuse to start: correct it')
    else notes.warn(name, sentence, 'the api refuses to start without it; a worker needs none')
  }
  if (api.size === 0) notes.ok('environment', `every variable reads well, for ${env.NODE_ENV || 'development'}`)
  if (!api.has('JWT_SECRET')) noteSecrets(notes, env.JWT_SECRET ?? '')
  for (const name of URLS) {
    if (env[name] && !api.has(name)) noteUrl(notes, name, env)
  }
  return notes
}

/** Where a service is; null where no good variable says so. */
export function addressIn (env: Env, variable: typeof URLS[number]): { url: string, address: Address } | null {
  const url = env[variable]
  const address = url && !badVariables('worker', env).has(variable) ? addressOf(variable, url) : null
  return url && address ? { url, address } : null
}

function noteSecrets (notes: Notes, text: string): void {
  if (text === '') return notes.warn('JWT_SECRET', 'missing: each api makes its own at its start', 'set one, or tokens end with the api that gave them')
  const secrets = text.split(',')
  const weak = (why: string) => notes.warn('JWT_SECRET', why, 'make one by `openssl rand -hex 32`; give both, comma separated, while rotating')
  if (secrets.some((secret) => new Set(secret).size < FEW_CHARACTERS)) weak('easily guessed: it has few different characters')
  else if (secrets.some((secret) => /development|change.?me|example/i.test(secret))) weak('looks like a development default: anyone who knows it can sign tokens for any user')
  else if (new Set(secrets).size < secrets.length) weak('the same secret twice: nothing is being rotated')
  else notes.ok('JWT_SECRET', secrets.length > 1 ? 'two are set: the first signs, both verify' : 'set')
}

function noteUrl (notes: Notes, name: typeof URLS[number], env: Env): void {
  const address = addressOf(name, env[name]!)
  if (!address) notes.wrong(name, 'cannot be read as a URL', 'write special characters of user and password percent-encoded (# is %23, / is %2F, @ is %40)')
  else if (env.NODE_ENV === 'production' && DEFAULT_PASSWORDS.has(address.password)) {
    notes.warn(name, 'holds a default password in production', 'set a password of your own at the service and here')
  }
}
