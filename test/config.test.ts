import t from 'tap'
import { ConfigError, Environment, loadConfig, type ProcessName, readSettings } from '../src/config.js'

const secret = 's'.repeat(32)
const random = () => 'r'.repeat(32)
const urls = { DATABASE_URL: 'postgres://u:hunter2@db:5432/comanda', REDIS_URL: 'redis://r:6379', AMQP_URL: 'amqp://u:p@mq:5672/v' }
const otel = {
  OTEL_TRACES_EXPORTER: 'otlp', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318', OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://c:4318/v1/traces', OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf', OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'http/json', OTEL_SDK_DISABLED: 'false'
}
const production = { ...urls, NODE_ENV: 'production', JWT_SECRET: secret, EVENT_KEYS: secret, PSEUDONYM_KEY: secret }

/** All but what is made for the line at the start. */
function read (process: ProcessName, env: Record<string, string | undefined>): object {
  const { shown: _, ...config } = loadConfig(process, env, random)
  return config
}

/** The message of the refusal; null when it was read. */
function refusal (process: ProcessName, env: Record<string, string | undefined>): string | null {
  try {
    loadConfig(process, env, random)
    return null
  } catch (error) {
    if (error instanceof ConfigError) return error.message
    throw error
  }
}

/** The variables that a message names as bad. */
function named (message: string | null): string[] {
  return Object.keys(Environment.properties).filter((name) => new RegExp(`(^bad environment|;|:) ?${name} is `).test(message ?? ''))
}

t.test('in development a database is enough and all else has a default', async (t) => {
  t.strictSame(read('api', { DATABASE_URL: urls.DATABASE_URL }), {
    process: 'api',
    production: false,
    databaseUrl: urls.DATABASE_URL,
    redisUrl: null,
    amqpUrl: null,
    jwtSecrets: ['r'.repeat(32)],
    eventKeys: [],
    pseudonymKey: 'published: for development only',
    host: '127.0.0.1',
    port: 3000,
    opsPort: null,
    logLevel: 'info',
    metrics: true,
    docs: true,
    trustProxy: [],
    redisPrefix: 'comanda:',
    redisTimeoutMs: 100,
    confirmTimeoutMs: 1500,
    tokenSeconds: 900,
    loginLimit: 20,
    ordersPerMinute: 6000,
    traces: 'off'
  })
})

t.test('every variable is read', async (t) => {
  const env = { ...production, HOST: '0.0.0.0', PORT: '80', WORKER_PORT: '81', OPS_PORT: '82', LOG_LEVEL: 'debug', METRICS: 'off', DOCS: 'off', TRUST_PROXY: '10.0.0.1, 10.1.0.0/16', REDIS_PREFIX: 'x:', REDIS_TIMEOUT_MS: '51', CONFIRM_TIMEOUT_MS: '50', TOKEN_SECONDS: '60', LOGIN_LIMIT: '3', ORDERS_PER_MINUTE: '4', ...otel }
  t.strictSame(Object.keys(env).sort(), Object.keys(Environment.properties).sort(), 'this test knows them all')
  t.strictSame(read('api', env), {
    process: 'api',
    production: true,
    databaseUrl: urls.DATABASE_URL,
    redisUrl: urls.REDIS_URL,
    amqpUrl: urls.AMQP_URL,
    jwtSecrets: [secret],
    eventKeys: [secret],
    pseudonymKey: secret,
    host: '0.0.0.0',
    port: 80,
    opsPort: 82,
    logLevel: 'debug',
    metrics: false,
    docs: false,
    trustProxy: ['10.0.0.1', '10.1.0.0/16'],
    redisPrefix: 'x:',
    redisTimeoutMs: 51,
    confirmTimeoutMs: 50,
    tokenSeconds: 60,
    loginLimit: 3,
    ordersPerMinute: 4,
    traces: 'http/json'
  })
  t.equal(loadConfig('worker', env, random).port, 81)
})

t.test('one message names every bad variable', async (t) => {
  const bad = {
    NODE_ENV: 'staging', DATABASE_URL: 'mysql://db', REDIS_URL: 'http://r', AMQP_URL: 'mq', JWT_SECRET: 'short', EVENT_KEYS: 'short', PSEUDONYM_KEY: 'short', PORT: '65536', WORKER_PORT: '-1', OPS_PORT: '65536', LOG_LEVEL: 'loud', METRICS: 'maybe', DOCS: 'maybe', CONFIRM_TIMEOUT_MS: '1.5', TOKEN_SECONDS: '0', LOGIN_LIMIT: '0', OTEL_TRACES_EXPORTER: 'jaeger', OTEL_EXPORTER_OTLP_ENDPOINT: 'c:4318', OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'tcp://c', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc', OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'grpc', OTEL_SDK_DISABLED: '1'
  }
  t.strictSame(named(refusal('api', bad)).sort(), Object.keys(bad).sort())
  for (const [name, value] of Object.entries(bad)) t.strictSame(named(refusal('api', { ...urls, [name]: value })), [name])
})

t.test('no token lives longer than a quarter of an hour', async (t) => {
  t.equal(loadConfig('api', { ...urls, TOKEN_SECONDS: '900' }, random).tokenSeconds, 900)
  t.strictSame(named(refusal('api', { ...urls, TOKEN_SECONDS: '901' })), ['TOKEN_SECONDS'])
})

t.test('traces are on when OpenTelemetry is told where to send them, or to send them, and not told otherwise', async (t) => {
  const traces = (env: Record<string, string>) => loadConfig('api', { ...urls, ...env }, random).traces
  const there = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318' }
  for (const on of [there, { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://c/v1/traces' }, { OTEL_TRACES_EXPORTER: 'otlp' }, { ...there, OTEL_SDK_DISABLED: 'false' }]) t.equal(traces(on), 'http/protobuf')
  for (const off of [{}, { OTEL_SERVICE_NAME: 'x' }, { OTEL_TRACES_EXPORTER: '' }, { ...there, OTEL_TRACES_EXPORTER: 'none' }, { ...there, OTEL_SDK_DISABLED: 'TRUE' }]) t.equal(traces(off), 'off')
  t.equal(traces({ ...there, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' }), 'http/json')
})

t.test('a number that is none is bad', async (t) => {
  for (const value of ['abc', '3000x', 'true', '0.5', 'null', '30 00']) t.strictSame(named(refusal('api', { ...urls, PORT: value })), ['PORT'], value)
})

t.test('white space and infinity are no numbers', async (t) => {
  for (const value of [' ', '3e400']) t.strictSame(named(refusal('api', { ...urls, PORT: value })), ['PORT'], value)
})

t.test('the message never shows a value', async (t) => {
  const message = refusal('api', { NODE_ENV: 'stagecoach', DATABASE_URL: 'mysql://root:hunter2@db', REDIS_URL: 'http://hunter3', AMQP_URL: 'hunter4', JWT_SECRET: 'hunter5', PORT: 'hunter6' })
  t.match(message, /JWT_SECRET is not valid/)
  t.notMatch(message, /hunter|stagecoach/)
})

t.test('a secret must be long enough, both of them while rotating', async (t) => {
  const other = 'o'.repeat(40)
  t.strictSame(loadConfig('api', { ...urls, JWT_SECRET: `${secret},${other}` }, random).jwtSecrets, [secret, other])
  for (const bad of ['s'.repeat(31), `${secret},short`, `short,${secret}`, `${secret},`, `,${secret}`, `${secret},${secret},${secret}`]) {
    t.strictSame(named(refusal('api', { ...urls, JWT_SECRET: bad })), ['JWT_SECRET'], bad)
  }
})

t.test('production starts nothing without its URLs, and no api without a secret', async (t) => {
  t.equal(refusal('api', production), null)
  t.strictSame(named(refusal('api', { NODE_ENV: 'production' })).sort(), ['AMQP_URL', 'DATABASE_URL', 'EVENT_KEYS', 'JWT_SECRET', 'PSEUDONYM_KEY', 'REDIS_URL'])
  t.strictSame(named(refusal('worker', { NODE_ENV: 'production' })).sort(), ['AMQP_URL', 'DATABASE_URL', 'EVENT_KEYS', 'REDIS_URL'])
  for (const name of ['REDIS_URL', 'AMQP_URL', 'JWT_SECRET', 'EVENT_KEYS', 'PSEUDONYM_KEY']) t.match(refusal('api', { ...production, [name]: undefined }), `${name} is missing`)
})

t.test('a worker needs no secret for tokens and no key of pseudonyms, and holds none', async (t) => {
  for (const env of [production, { ...production, JWT_SECRET: undefined, PSEUDONYM_KEY: undefined }]) t.match(loadConfig('worker', env, random), { jwtSecrets: [], pseudonymKey: null, eventKeys: [secret] })
})

t.test('an empty variable counts as missing', async (t) => {
  const emptied = Object.fromEntries(Object.keys(Environment.properties).map((name) => [name, '']))
  t.strictSame(loadConfig('api', { ...emptied, DATABASE_URL: urls.DATABASE_URL }, random), loadConfig('api', { DATABASE_URL: urls.DATABASE_URL }, random))
  t.match(refusal('api', { ...production, JWT_SECRET: '' }), 'JWT_SECRET is missing')
  t.match(refusal('api', { ...urls, DATABASE_URL: '' }), 'DATABASE_URL is missing')
})

t.test('what is shown at the start is every variable as it is in effect, and no password or secret', async (t) => {
  const passwords = { DATABASE_URL: 'postgres://u:hunter2@db/comanda?password=hunter3&sslmode=require', REDIS_URL: 'rediss://:hunter4@r:6379', AMQP_URL: 'amqp://u:p%40hunter5@mq/v', JWT_SECRET: `hunter6${secret}` }
  const { shown } = loadConfig('api', { ...passwords, PORT: '80' }, random)
  t.notMatch(JSON.stringify(shown), /hunter/)
  t.strictSame(Object.keys(shown).sort(), Object.keys(Environment.properties).sort())
  t.match(shown, { DATABASE_URL: /^postgres:\/\/u:\*\*\*@db\/comanda/, REDIS_URL: 'rediss://:***@r:6379', AMQP_URL: 'amqp://u:***@mq/v', JWT_SECRET: '***', PORT: 80, WORKER_PORT: 3001, TRUST_PROXY: null })
  t.match(loadConfig('worker', { DATABASE_URL: 'postgres://a b:hunter2@[' }, random).shown, { DATABASE_URL: '***', JWT_SECRET: null })
})

t.test('a config cannot be changed', async (t) => {
  const config = loadConfig('api', production, random)
  t.ok(Object.isFrozen(config))
  t.throws(() => { Object.assign(config, { port: 1 }) }, TypeError)
})

t.test('a command reads the variables that it needs; what an api would refuse to start with is nothing to it', async (t) => {
  const others = { NODE_ENV: 'production', PORT: 'many', LOG_LEVEL: 'loud' }
  t.strictSame(readSettings({ ...others, DATABASE_URL: 'postgres://a/b' }, 'DATABASE_URL'), { DATABASE_URL: 'postgres://a/b' })
  t.strictSame(readSettings({ WORKER_PORT: '3005' }, 'HOST', 'PORT', 'WORKER_PORT'), { HOST: '127.0.0.1', PORT: 3000, WORKER_PORT: 3005 })
  t.throws(() => readSettings(others, 'DATABASE_URL', 'PORT'), { name: 'ConfigError', message: /^bad environment: (?=.*DATABASE_URL is missing)(?=.*PORT is not valid)(?!.*LOG_LEVEL)/ })
})
