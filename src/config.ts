import { type Static, type TObject, Type } from '@sinclair/typebox'
import { envSchema } from 'env-schema'
import { networksFault } from './addresses/public-addresses.js'
import { type Database, faultOfUrl, SERVICE_URLS, shownValue } from './addresses/service-urls.js'
import { trustFault } from './addresses/trusted-proxies.js'
import { Environment, type OtlpProtocol } from './environment.js'
import { PUBLISHED_DATA_KEY, repeatedKeyIds } from './secrets/keyring.js'
import { weakSecrets } from './secrets/weak-secrets.js'

export type ProcessName = 'api' | 'worker' | 'relay'

export interface Config {
  readonly process: ProcessName
  readonly production: boolean
  readonly database: Database
  /** Whether this process creates and changes tables. */
  readonly migrates: boolean
  /** null: this service runs without it */
  readonly redisUrl: string | null
  readonly amqpUrl: string | null
  /** null: what stands behind the broker's node is not known */
  readonly amqpManagementUrl: string | null
  /** The first signs, all verify; empty but for an api: nothing else issues tokens. */
  readonly jwtSecrets: readonly string[]
  /** The first signs, all verify; empty: nothing is signed. */
  readonly eventKeys: readonly string[]
  /** null but for an api: nothing else hashes personal values */
  readonly pseudonymKey: string | null
  /** As a Keyring reads it. */
  readonly dataKeys: string
  /** null: there are none. `networks` null: every address is allowed. */
  readonly webhooks: { readonly httpsOnly: boolean, readonly networks: readonly string[] | null } | null
  readonly host: string
  readonly port: number
  /** null: `/metrics` is served on the port of the process */
  readonly opsPort: number | null
  readonly logLevel: string
  readonly metrics: boolean
  readonly docs: boolean
  /** Whether an api serves the operators' page, and takes its cookie. */
  readonly console: boolean
  readonly trustProxy: readonly string[]
  readonly redisPrefix: string
  readonly redisTimeoutMs: number
  readonly confirmTimeoutMs: number
  readonly tokenSeconds: number
  readonly loginLimit: number
  /** 0: no bound */
  readonly ordersPerMinute: number
  /** Seconds; null: no order is ever stale */
  readonly staleAfter: number | null
  /** Every variable as it is in effect, by its name, for the line at the start: passwords and secrets are masked, null is not given. */
  readonly shown: Readonly<Record<string, string | number | null>>
  /** `off`, or how they are sent; the rest of OTEL_* is read by OpenTelemetry's SDK, which is not even loaded when they are off. */
  readonly traces: 'off' | OtlpProtocol
}

/** A bad environment: one message that names every bad variable. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

function badEnvironment (faults: readonly string[]): ConfigError {
  return new ConfigError(`bad environment: ${faults.join('; ')}`)
}

/** @param randomSecret signs tokens where no secret need be given @throws ConfigError */
export function loadConfig (process: ProcessName, env: Record<string, string | undefined>, randomSecret: () => string): Config {
  const { read, faults } = readEnvironment(process, env)
  if (faults.size > 0) throw badEnvironment([...faults.values()])
  const production = read.NODE_ENV === 'production'
  return Object.freeze({
    process,
    production,
    database: { url: read.DATABASE_URL, pooling: read.DATABASE_POOLING },
    migrates: read.MIGRATE === 'on',
    redisUrl: read.REDIS_URL ?? null,
    amqpUrl: read.AMQP_URL ?? null,
    amqpManagementUrl: read.AMQP_MANAGEMENT_URL ?? null,
    ...keysOf(process, read, randomSecret),
    dataKeys: read.DATA_KEYS ?? PUBLISHED_DATA_KEY,
    webhooks: webhooksOf(read, production),
    host: read.HOST,
    port: { api: read.PORT, worker: read.WORKER_PORT, relay: read.RELAY_PORT }[process],
    opsPort: read.OPS_PORT ?? null,
    logLevel: read.LOG_LEVEL as string,
    metrics: read.METRICS === 'on',
    docs: read.DOCS === 'on',
    console: read.CONSOLE === 'on',
    trustProxy: listOf(read.TRUST_PROXY ?? ''),
    redisPrefix: read.REDIS_PREFIX,
    redisTimeoutMs: read.REDIS_TIMEOUT_MS,
    confirmTimeoutMs: read.CONFIRM_TIMEOUT_MS,
    tokenSeconds: read.TOKEN_SECONDS,
    loginLimit: read.LOGIN_LIMIT,
    ordersPerMinute: read.ORDERS_PER_MINUTE,
    staleAfter: read.STALE_AFTER === undefined ? null : secondsOf(read.STALE_AFTER),
    traces: tracesOf(read),
    shown: Object.freeze(Object.fromEntries(Object.keys(Environment.properties).map((name) => [name, shownValue(name, read[name as keyof typeof read] ?? null)])))
  })
}

/**
 * The variables that a command needs, and no others: what an api or a worker would refuse to start with is nothing to it.
 * @throws ConfigError that names every one of them that is missing where it is needed, or bad
 */
export function readSettings<Name extends keyof typeof Environment.properties> (env: Record<string, string | undefined>, ...names: Name[]): Pick<Static<typeof Environment>, Name> {
  const { read, faults } = readSchema(env, Type.Pick(Environment, names))
  if (faults.size > 0) throw badEnvironment([...faults.values()])
  return read as unknown as Pick<Static<typeof Environment>, Name> // of a generic pick TypeScript cannot tell
}

/** For a command that works on the tables. @throws ConfigError */
export function readDatabase (env: Record<string, string | undefined>): Database {
  const { DATABASE_URL: url, DATABASE_POOLING: pooling } = readSettings(env, 'DATABASE_URL', 'DATABASE_POOLING')
  return { url, pooling }
}

/** What this process would refuse to start with: each bad variable by its name, with one sentence that never holds the value. */
export function badVariables (process: ProcessName, env: Record<string, string | undefined>): Map<string, string> {
  return readEnvironment(process, env).faults
}

function keysOf (process: ProcessName, read: Static<typeof Environment>, randomSecret: () => string): Pick<Config, 'jwtSecrets' | 'eventKeys' | 'pseudonymKey'> {
  const eventKeys = listOf(read.EVENT_KEYS ?? '')
  if (process !== 'api') return { jwtSecrets: [], eventKeys, pseudonymKey: null }
  return { jwtSecrets: listOf(read.JWT_SECRET ?? randomSecret()), eventKeys, pseudonymKey: read.PSEUDONYM_KEY ?? PUBLISHED_KEY }
}

function webhooksOf ({ WEBHOOKS, WEBHOOK_ALLOW }: Static<typeof Environment>, production: boolean): Config['webhooks'] {
  if (WEBHOOKS === 'off') return null
  return { httpsOnly: production, networks: WEBHOOK_ALLOW === undefined && !production ? null : listOf(WEBHOOK_ALLOW ?? '') }
}

/** Protects nothing; a production refuses to start without a key of its own. */
const PUBLISHED_KEY = 'published: for development only'

/** On when they are asked for, or have somewhere to go. */
function tracesOf (read: Static<typeof Environment>): Config['traces'] {
  const asked = read.OTEL_TRACES_EXPORTER ?? read.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT ?? read.OTEL_EXPORTER_OTLP_ENDPOINT ?? 'none'
  if (asked === 'none' || read.OTEL_SDK_DISABLED?.toLowerCase() === 'true') return 'off'
  return read.OTEL_EXPORTER_OTLP_TRACES_PROTOCOL ?? read.OTEL_EXPORTER_OTLP_PROTOCOL ?? 'http/protobuf'
}

const NEEDED_IN_PRODUCTION: Record<ProcessName, string[]> = {
  api: ['REDIS_URL', 'AMQP_URL', 'EVENT_KEYS', 'JWT_SECRET', 'PSEUDONYM_KEY', 'DATA_KEYS'],
  worker: ['REDIS_URL', 'AMQP_URL', 'EVENT_KEYS'],
  relay: ['AMQP_URL', 'DATA_KEYS']
}

function missingInProduction (process: ProcessName, env: Record<string, string | undefined>): string[] {
  return NEEDED_IN_PRODUCTION[process].filter((name) => !env[name])
}

const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400 }

/** Of a span as the schema has it: `90s`, `30m`, `72h`, `14d`. */
export function secondsOf (span: string): number {
  return Number(span.slice(0, -1)) * SECONDS[span.slice(-1) as keyof typeof SECONDS]
}

/** The items of a comma separated variable. */
export function listOf (text: string): string[] {
  return text.split(',').map((item) => item.trim()).filter((item) => item !== '')
}

interface Fault { instancePath: string, params: { missingProperty?: string } }

function readEnvironment (process: ProcessName, env: Record<string, string | undefined>): { read: Static<typeof Environment>, faults: Map<string, string> } {
  const { read, faults } = readSchema(env, Environment)
  const production = read.NODE_ENV === 'production'
  for (const name of production ? missingInProduction(process, env) : []) faults.set(name, describe(name, false))
  for (const [name, sentence] of [...faultsOfPairs(env), ...(production ? weakSecrets(env) : [])]) if (!faults.has(name)) faults.set(name, sentence)
  return { read: { ...read, ...shownByDefault(process, read), MIGRATE: read.MIGRATE ?? (read.DATABASE_POOLING === 'transaction' ? 'off' : 'on') }, faults }
}

/** Variables that read well and cannot be meant together. */
function faultsOfPairs ({ MIGRATE, DATABASE_POOLING }: Record<string, string | undefined>): Array<[string, string]> {
  if (MIGRATE !== 'on' || DATABASE_POOLING !== 'transaction') return []
  return [['MIGRATE', 'MIGRATE is on, which DATABASE_POOLING=transaction does not allow (run `comanda migrate` with a URL of the server itself)']]
}

/** In production nobody's clients see what was not asked for; only an api has clients. */
function shownByDefault (process: ProcessName, { NODE_ENV, METRICS, DOCS, OPS_PORT }: Static<typeof Environment>): Pick<Static<typeof Environment>, 'METRICS' | 'DOCS'> {
  const hidden = NODE_ENV === 'production'
  return { METRICS: METRICS ?? (hidden && process === 'api' && OPS_PORT === undefined ? 'off' : 'on'), DOCS: DOCS ?? (hidden ? 'off' : 'on') }
}

/** An empty variable is a missing one: compose files and shells cannot unset. */
function readSchema<Schema extends TObject> (env: Record<string, string | undefined>, schema: Schema): { read: Static<Schema>, faults: Map<string, string> } {
  const given = Object.fromEntries(Object.keys(schema.properties).filter((name) => env[name]).map((name) => [name, numeral(name, env[name]!)]))
  const faults = new Map<string, string>()
  let read = given as Static<Schema>
  try {
    read = envSchema<Static<Schema>>({ schema, data: given, env: false })
  } catch (error) {
    const { errors } = error as { errors?: Fault[] }
    if (!errors) throw error
    for (const name of errors.map((fault) => fault.params.missingProperty ?? fault.instancePath.slice(1))) faults.set(name, describe(name, Boolean(env[name])))
  }
  for (const name of Object.keys(given)) {
    const fault = faults.has(name) ? null : faultBeyondSchema(name, String(given[name]))
    if (fault !== null) faults.set(name, `${name} ${fault}`)
  }
  return { read, faults }
}

/** Never any part of the value. */
function faultBeyondSchema (name: string, text: string): string | null {
  if (name === 'TRUST_PROXY') return trustFault(listOf(text))
  if (name === 'WEBHOOK_ALLOW') return networksFault(listOf(text))
  if (name === 'DATA_KEYS') return repeatedKeyIds(text).length > 0 ? 'holds two keys of one id: which of them is meant cannot be told' : null
  const service = SERVICE_URLS.find((url) => url === name)
  return service ? faultOfUrl(service, text) : null
}

/** Coercion would take a blank for 0 and 3e400 for infinity: only digits pass as an integer's text. */
function numeral (name: string, text: string): string {
  const { type } = Environment.properties[name as keyof typeof Environment.properties] as { type?: string }
  return type !== 'integer' || /^\d{1,15}$/.test(text) ? text : 'not an integer'
}

/** Never the value: it may be a secret. */
function describe (name: string, given: boolean): string {
  const { description } = Environment.properties[name as keyof typeof Environment.properties]
  return `${name} is ${given ? 'not valid' : 'missing'} (${description ?? ''})`
}
