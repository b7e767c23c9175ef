import { type Static, type TObject, Type } from '@sinclair/typebox'
import { envSchema } from 'env-schema'
import { type Database, faultOfUrl, SERVICE_URLS, shownValue } from './addresses/service-urls.js'
import { trustFault } from './addresses/trusted-proxies.js'
import { weakSecrets } from './secrets/weak-secrets.js'

const url = (protocols: string, description: string) => Type.String({ pattern: `^(${protocols})://[^\\s/]+`, description })

/** Nothing that is cut off before it is judged, or cannot be seen. */
const KEY = '[^,\\s\\p{C}]{32,}'

const oneOf = <const Word extends string>(words: readonly Word[], description: string, otherwise?: Word) => Type.Union(words.map((word) => Type.Literal(word)), { description, ...(otherwise && { default: otherwise }) })
const OTLP_PROTOCOLS = ['http/protobuf', 'http/json'] as const

/** The one schema of the environment. The table of docs/configuration.md is checked against it. */
export const Environment = Type.Object({
  NODE_ENV: Type.Union([Type.Literal('development'), Type.Literal('production'), Type.Literal('test')], {
    default: 'development', description: 'In `production` a missing URL or secret refuses to start, and so does one that is published, easily guessed or used twice, and a Redis or RabbitMQ on another machine without a password'
  }),
  DATABASE_URL: url('postgres|postgresql', 'Postgres, `postgres://user:password@host:5432/database`; needed always. In this and the next two, special characters of user and password are percent-encoded'),
  REDIS_URL: Type.Optional(url('redis|rediss', 'Redis, `redis://host:6379`; outside production it may be missing: views are read from the tables')),
  AMQP_URL: Type.Optional(url('amqp|amqps', 'RabbitMQ, `amqp://user:password@host:5672/vhost`; outside production it may be missing: orders go by the fallback queue')),
  DATABASE_POOLING: oneOf(['session', 'transaction'], '`transaction`: `DATABASE_URL` leads to a pooler that lends a connection for one transaction (PgBouncer in transaction mode): statements have no names, nothing is set for a session, and no process migrates: `comanda migrate` is run with a URL of the server itself', 'session'),
  MIGRATE: Type.Optional(oneOf(['on', 'off'], '`off`: no process creates or changes tables; each waits until `comanda migrate`, run by a role that may, has done it. Missing: on, with `DATABASE_POOLING=transaction` off')),
  JWT_SECRET: Type.Optional(Type.String({
    pattern: `^${KEY}(,${KEY})?$`, description: 'Signs tokens, 32 characters or more without blanks; two, comma separated, while rotating: the first signs, both verify. Missing outside production: a random one for each start'
  })),
  EVENT_KEYS: Type.Optional(Type.String({
    pattern: `^${KEY}(,${KEY})?$`, description: 'Signs order events and what is kept in Redis, 32 characters or more without blanks, the same for api and worker; two, comma separated, while rotating: the first signs, both verify. Missing outside production: nothing is signed, and nothing verified'
  })),
  PSEUDONYM_KEY: Type.Optional(Type.String({
    pattern: '^[^\\s\\p{C}]{32,}$', description: 'Hashes personal values where only their equality matters (names of erased users, who failed to log in), 32 characters or more without blanks; keep it as long as the database. Missing outside production: a published one'
  })),
  HOST: Type.String({ default: '127.0.0.1', minLength: 1, description: 'Address that each process listens on' }),
  PORT: Type.Integer({ default: 3000, minimum: 0, maximum: 65535, description: 'Port of the api' }),
  WORKER_PORT: Type.Integer({ default: 3001, minimum: 0, maximum: 65535, description: 'Port of the worker: health and metrics only' }),
  RELAY_PORT: Type.Integer({ default: 3003, minimum: 0, maximum: 65535, description: 'Port of the relay: health and metrics only' }),
  OPS_PORT: Type.Optional(Type.Integer({ minimum: 0, maximum: 65535, description: 'Port of `/metrics`, which then is nowhere else; processes that share an address need one each. Missing: on the port of the process' })),
  LOG_LEVEL: Type.Union(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'].map((level) => Type.Literal(level)), {
    default: 'info', description: 'trace, debug, info, warn, error, fatal or silent'
  }),
  METRICS: Type.Optional(oneOf(['on', 'off'], '`off`: nothing is measured, no /metrics. Missing: on, but in production not on the port that clients reach: there an api serves it on `OPS_PORT` or not at all')),
  DOCS: Type.Optional(oneOf(['on', 'off'], '`off`: no /docs. Missing: on, in production off')),
  TRUST_PROXY: Type.Optional(Type.String({ minLength: 1, description: 'Addresses or networks of the proxies in front, comma separated (`10.0.0.0/8`, `loopback`); their `X-Forwarded-For`, `X-Forwarded-Proto` and `X-Request-Id` are believed' })),
  REDIS_PREFIX: Type.String({ default: 'comanda:', description: 'Every key in Redis begins with it' }),
  REDIS_TIMEOUT_MS: Type.Integer({ default: 100, minimum: 5, maximum: 10_000, description: 'A command that Redis has not answered in this time is a miss' }),
  CONFIRM_TIMEOUT_MS: Type.Integer({ default: 1500, minimum: 50, maximum: 60_000, description: 'An order event not confirmed by the broker in this time goes to the fallback queue' }),
  TOKEN_SECONDS: Type.Integer({ default: 900, minimum: 1, maximum: 900, description: 'Life of an access token; a client renews it while it is valid. At most 900: while Redis is away an ended session lives on so long' }),
  OTEL_EXPORTER_OTLP_ENDPOINT: Type.Optional(url('http|https', 'Collector of traces, `http://host:4318`; with it traces are on. Whatever else OpenTelemetry names (`OTEL_TRACES_SAMPLER`, `OTEL_SERVICE_NAME`, `OTEL_BSP_*` ...) is read by its SDK: `docs/traces.md`')),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: Type.Optional(url('http|https', 'The same with its whole path, `http://host:4318/v1/traces`')),
  OTEL_EXPORTER_OTLP_PROTOCOL: Type.Optional(oneOf(OTLP_PROTOCOLS, '`http/protobuf` (when missing) or `http/json`')),
  OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: Type.Optional(oneOf(OTLP_PROTOCOLS, 'The same, for traces alone')),
  OTEL_TRACES_EXPORTER: Type.Optional(oneOf(['otlp', 'none'], '`otlp`: traces are on, to the collector on this machine where no other is named; `none`: off')),
  OTEL_SDK_DISABLED: Type.Optional(Type.String({ pattern: '^([Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee])$', description: '`true`: traces are off, whatever else is set' })),
  ORDERS_PER_MINUTE: Type.Integer({ default: 6000, minimum: 0, maximum: 1_000_000, description: 'Orders that one user may place a minute, alone or in batches, changes of orders included; 0: no bound. So many at once, and as many given back a minute; apis share what they count about every second' }),
  LOGIN_LIMIT: Type.Integer({ default: 20, minimum: 1, description: 'A minute: failed logins for one name from one address (from one address for all names ten times as many), registrations and changes of users from one address, changes of one password' })
})

type OtlpProtocol = typeof OTLP_PROTOCOLS[number]
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
  /** The first signs, all verify; empty but for an api: nothing else issues tokens. */
  readonly jwtSecrets: readonly string[]
  /** The first signs, all verify; empty: nothing is signed. */
  readonly eventKeys: readonly string[]
  /** null but for an api: nothing else hashes personal values */
  readonly pseudonymKey: string | null
  readonly host: string
  readonly port: number
  /** null: `/metrics` is served on the port of the process */
  readonly opsPort: number | null
  readonly logLevel: string
  readonly metrics: boolean
  readonly docs: boolean
  readonly trustProxy: readonly string[]
  readonly redisPrefix: string
  readonly redisTimeoutMs: number
  readonly confirmTimeoutMs: number
  readonly tokenSeconds: number
  readonly loginLimit: number
  /** 0: no bound */
  readonly ordersPerMinute: number
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
    ...keysOf(process, read, randomSecret),
    host: read.HOST,
    port: { api: read.PORT, worker: read.WORKER_PORT, relay: read.RELAY_PORT }[process],
    opsPort: read.OPS_PORT ?? null,
    logLevel: read.LOG_LEVEL as string,
    metrics: read.METRICS === 'on',
    docs: read.DOCS === 'on',
    trustProxy: listOf(read.TRUST_PROXY ?? ''),
    redisPrefix: read.REDIS_PREFIX,
    redisTimeoutMs: read.REDIS_TIMEOUT_MS,
    confirmTimeoutMs: read.CONFIRM_TIMEOUT_MS,
    tokenSeconds: read.TOKEN_SECONDS,
    loginLimit: read.LOGIN_LIMIT,
    ordersPerMinute: read.ORDERS_PER_MINUTE,
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

/** Protects nothing; a production refuses to start without a key of its own. */
const PUBLISHED_KEY = 'published: for development only'

/** On when they are asked for, or have somewhere to go. */
function tracesOf (read: Static<typeof Environment>): Config['traces'] {
  const asked = read.OTEL_TRACES_EXPORTER ?? read.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT ?? read.OTEL_EXPORTER_OTLP_ENDPOINT ?? 'none'
  if (asked === 'none' || read.OTEL_SDK_DISABLED?.toLowerCase() === 'true') return 'off'
  return read.OTEL_EXPORTER_OTLP_TRACES_PROTOCOL ?? read.OTEL_EXPORTER_OTLP_PROTOCOL ?? 'http/protobuf'
}

const NEEDED_IN_PRODUCTION: Record<ProcessName, string[]> = {
  api: ['REDIS_URL', 'AMQP_URL', 'EVENT_KEYS', 'JWT_SECRET', 'PSEUDONYM_KEY'],
  worker: ['REDIS_URL', 'AMQP_URL', 'EVENT_KEYS'],
  relay: ['AMQP_URL']
}

function missingInProduction (process: ProcessName, env: Record<string, string | undefined>): string[] {
  return NEEDED_IN_PRODUCTION[process].filter((name) => !env[name])
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
