import { createHash, randomBytes } from 'node:crypto'
import t from 'tap'
import { ConfigError, loadConfig, type ProcessName, readSettings } from '../src/config.js'
import { Environment } from '../src/environment.js'

/** As random as one made by the documents' command. */
const key = (of: string) => createHash('sha256').update(of).digest('hex')
const secret = key('tokens')
const keys = { JWT_SECRET: secret, EVENT_KEYS: key('events'), PSEUDONYM_KEY: key('pseudonyms'), DATA_KEYS: `k1:${Buffer.from(key('data').slice(0, 32)).toString('base64')}` }
/** Those that any text may be. */
const texts = ['JWT_SECRET', 'EVENT_KEYS', 'PSEUDONYM_KEY']
const random = () => 'r'.repeat(32)
const urls = { DATABASE_URL: 'postgres://u:hunter2-of-db@db:5432/comanda', REDIS_URL: 'redis://:hunter2-of-cache@r:6379', AMQP_URL: 'amqp://u:hunter2-of-mq@mq:5672/v' }
const otel = {
  OTEL_TRACES_EXPORTER: 'otlp', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318', OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://c:4318/v1/traces', OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf', OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'http/json', OTEL_SDK_DISABLED: 'false'
}
const production = { ...urls, NODE_ENV: 'production', ...keys }

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
  return Object.keys(Environment.properties).filter((name) => new RegExp(`(^bad environment|;|:) ?${name} (is|has|holds|names|asks) `).test(message ?? ''))
}

t.test('in development a database is enough and all else has a default', async (t) => {
  t.strictSame(read('api', { DATABASE_URL: urls.DATABASE_URL }), {
    process: 'api',
    production: false,
    database: { url: urls.DATABASE_URL, pooling: 'session' },
    migrates: true,
    redisUrl: null,
    amqpUrl: null,
    amqpManagementUrl: null,
    jwtSecrets: ['r'.repeat(32)],
    eventKeys: [],
    pseudonymKey: 'published: for development only',
    dataKeys: 'published:cHVibGlzaGVkOiBmb3IgZGV2ZWxvcG1lbnQgb25seS4=',
    webhooks: { httpsOnly: false, networks: null },
    host: '127.0.0.1',
    port: 3000,
    opsPort: null,
    logLevel: 'info',
    metrics: true,
    docs: true,
    console: true,
    trustProxy: [],
    redisPrefix: 'comanda:',
    redisTimeoutMs: 100,
    confirmTimeoutMs: 1500,
    tokenSeconds: 900,
    loginLimit: 20,
    ordersPerMinute: 6000,
    staleAfter: null,
    traces: 'off'
  })
})

t.test('in production clients see neither metrics nor documentation unless it is asked for', async (t) => {
  const shown = (process: ProcessName, env: Record<string, string>) => {
    const { metrics, docs } = loadConfig(process, env, random)
    return [metrics, docs]
  }
  t.strictSame(shown('api', production), [false, false])
  t.strictSame(shown('api', { ...production, OPS_PORT: '9464' }), [true, false], 'not on the port of clients')
  t.strictSame(shown('api', { ...production, METRICS: 'on', DOCS: 'on' }), [true, true])
  t.strictSame(shown('worker', production), [true, false], 'a worker has no clients')
  t.match(loadConfig('api', production, random).shown, { METRICS: 'off', DOCS: 'off' }, 'and the line at the start says so')
})

t.test('every variable is read', async (t) => {
  const env = { ...production, AMQP_MANAGEMENT_URL: 'https://watcher:nine-quiet-lanterns@mq:15671', DATABASE_POOLING: 'transaction', MIGRATE: 'off', HOST: '0.0.0.0', PORT: '80', WORKER_PORT: '81', RELAY_PORT: '83', OPS_PORT: '82', LOG_LEVEL: 'debug', METRICS: 'off', DOCS: 'off', TRUST_PROXY: '10.0.0.1, 10.1.0.0/16', REDIS_PREFIX: 'x:', REDIS_TIMEOUT_MS: '51', CONFIRM_TIMEOUT_MS: '50', TOKEN_SECONDS: '60', LOGIN_LIMIT: '3', ORDERS_PER_MINUTE: '4', CONSOLE: 'off', STALE_AFTER: '72h', WEBHOOKS: 'on', WEBHOOK_ALLOW: '10.0.0.0/8', ...otel }
  t.strictSame(Object.keys(env).sort(), Object.keys(Environment.properties).sort(), 'this test knows them all')
  t.strictSame(read('api', env), {
    process: 'api',
    production: true,
    database: { url: urls.DATABASE_URL, pooling: 'transaction' },
    migrates: false,
    redisUrl: urls.REDIS_URL,
    amqpUrl: urls.AMQP_URL,
    amqpManagementUrl: 'https://watcher:nine-quiet-lanterns@mq:15671',
    jwtSecrets: [secret],
    eventKeys: [keys.EVENT_KEYS],
    pseudonymKey: keys.PSEUDONYM_KEY,
    dataKeys: keys.DATA_KEYS,
    webhooks: { httpsOnly: true, networks: ['10.0.0.0/8'] },
    host: '0.0.0.0',
    port: 80,
    opsPort: 82,
    logLevel: 'debug',
    metrics: false,
    docs: false,
    console: false,
    trustProxy: ['10.0.0.1', '10.1.0.0/16'],
    redisPrefix: 'x:',
    redisTimeoutMs: 51,
    confirmTimeoutMs: 50,
    tokenSeconds: 60,
    loginLimit: 3,
    ordersPerMinute: 4,
    staleAfter: 259_200,
    traces: 'http/json'
  })
  t.equal(loadConfig('worker', env, random).port, 81)
})

t.test('one message names every bad variable', async (t) => {
  const bad = {
    NODE_ENV: 'staging', DATABASE_URL: 'mysql://db', REDIS_URL: 'http://r', AMQP_URL: 'mq', DATABASE_POOLING: 'statement', MIGRATE: 'no', TRUST_PROXY: 'true', JWT_SECRET: 'short', EVENT_KEYS: 'short', PSEUDONYM_KEY: 'short', DATA_KEYS: 'k1:short', WEBHOOKS: 'maybe', CONSOLE: 'maybe', STALE_AFTER: '3 days', WEBHOOK_ALLOW: '10.0.0.1', PORT: '65536', WORKER_PORT: '-1', RELAY_PORT: 'x', OPS_PORT: '65536', LOG_LEVEL: 'loud', METRICS: 'maybe', DOCS: 'maybe', CONFIRM_TIMEOUT_MS: '1.5', TOKEN_SECONDS: '0', LOGIN_LIMIT: '0', OTEL_TRACES_EXPORTER: 'jaeger', OTEL_EXPORTER_OTLP_ENDPOINT: 'c:4318', OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'tcp://c', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc', OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'grpc', OTEL_SDK_DISABLED: '1'
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

t.test('a secret holds no blanks and nothing that cannot be seen: they would count as its length', async (t) => {
  for (const name of Object.keys(keys)) {
    for (const bad of [`abkdx7z1${' '.repeat(24)}`, `${' '.repeat(24)}abkdx7z1`, `abkd${'\t'.repeat(24)}x7z1`, `abkdx7z1${'\u200b'.repeat(24)}`, `abkdx7z1${'\u00a0'.repeat(24)}`, `${secret}\n`]) {
      t.strictSame(named(refusal('api', { ...production, [name]: bad })), [name], JSON.stringify(bad))
    }
  }
})

t.test('production starts nothing without its URLs, and no api without a secret', async (t) => {
  t.equal(refusal('api', production), null)
  t.strictSame(named(refusal('api', { NODE_ENV: 'production' })).sort(), ['AMQP_URL', 'DATABASE_URL', 'DATA_KEYS', 'EVENT_KEYS', 'JWT_SECRET', 'PSEUDONYM_KEY', 'REDIS_URL'])
  t.strictSame(named(refusal('worker', { NODE_ENV: 'production' })).sort(), ['AMQP_URL', 'DATABASE_URL', 'EVENT_KEYS', 'REDIS_URL'])
  for (const name of ['REDIS_URL', 'AMQP_URL', 'JWT_SECRET', 'EVENT_KEYS', 'PSEUDONYM_KEY', 'DATA_KEYS']) t.match(refusal('api', { ...production, [name]: undefined }), `${name} is missing`)
})

t.test('production refuses to start with secrets that were ever published, and names the variable and never its value', async (t) => {
  const published = ['development-only-development-only', 'development-only-development-only-2', 'change-me-change-me-change-me-change-me', 'your-secret-key-of-32-characters-or-more', 'EXAMPLE-3f9c0b7a51e24d68b0c9a7e8d2f41563']
  for (const value of published) {
    for (const name of texts) {
      t.match(refusal('api', { ...production, [name]: value }), `${name} is published`, `${name} ${value}`)
      t.notMatch(refusal('api', { ...production, [name]: value }), value)
      t.equal(refusal('api', { ...production, [name]: value, NODE_ENV: 'development' }), null)
    }
  }
  t.strictSame(named(refusal('worker', { ...production, EVENT_KEYS: `${keys.EVENT_KEYS},${published[0]}` })), ['EVENT_KEYS'], 'also the second of two')
})

t.test('production refuses to start with secrets of no strength', async (t) => {
  const table: Array<[why: string, value: string]> = [
    ['few different characters', 's'.repeat(32)], ['few different characters', 'ab'.repeat(20)],
    ['repeats itself', '0123456789abcdef0123456789abcdef'], ['repeats itself', 'Xq7$mL2pXq7$mL2pXq7$mL2pXq7$mL2pXq7'],
    ['sequence', 'abcdefghijklmnopqrstuvwxyz0123456789'], ['sequence', 'zyxwvutsrqponmlkjihgfedcba9876543210'], ['sequence', 'qwertyuiopasdfghjklzxcvbnm1234567890'], ['sequence', 'aabbccddeeffgghhiijjkkllmmnnooppqq']
  ]
  for (const [why, value] of table) {
    for (const name of texts) t.match(refusal('api', { ...production, [name]: value }), new RegExp(`${name} is easily guessed: .*${why}`), value)
  }
  for (const make of [() => randomBytes(32).toString('hex'), () => randomBytes(24).toString('base64url'), () => randomBytes(16).toString('hex')]) {
    for (let round = 0; round < 200; round++) t.equal(refusal('api', { ...production, JWT_SECRET: make() }), null)
  }
})

t.test('keys of data are of 32 bytes, each with an id of its own, and worth something in production', async (t) => {
  const one = randomBytes(32).toString('base64')
  for (const bad of [one, `k1:${one.slice(1)}`, `K1:${one}`, `k1:${one} `, `k1:${one},`, `:${one}`]) t.strictSame(named(refusal('relay', { ...production, DATA_KEYS: bad })), ['DATA_KEYS'], bad)
  t.match(refusal('relay', { ...production, DATA_KEYS: `k1:${one},k1:${randomBytes(32).toString('base64')}` }), 'DATA_KEYS holds two keys of one id')
  t.match(refusal('relay', { ...production, DATA_KEYS: `k1:${Buffer.alloc(32).toString('base64')}` }), 'DATA_KEYS is easily guessed')
  t.match(refusal('relay', { ...production, DATA_KEYS: undefined }), 'DATA_KEYS is missing')
  t.equal(loadConfig('relay', { ...production, DATA_KEYS: `k2:${one},k1:${randomBytes(32).toString('base64')}` }, random).dataKeys.split(',').length, 2)
})

t.test('webhooks are https and public in production, and lead anywhere in development, unless networks are named', async (t) => {
  const webhooks = (env: Record<string, string>) => loadConfig('relay', env, random).webhooks
  t.strictSame(webhooks(urls), { httpsOnly: false, networks: null })
  t.strictSame(webhooks({ ...urls, WEBHOOK_ALLOW: '10.0.0.0/8' }), { httpsOnly: false, networks: ['10.0.0.0/8'] })
  t.strictSame(webhooks(production), { httpsOnly: true, networks: [] })
  t.strictSame(webhooks({ ...production, WEBHOOK_ALLOW: '10.0.0.0/8, fd00::/8' }), { httpsOnly: true, networks: ['10.0.0.0/8', 'fd00::/8'] })
  t.equal(webhooks({ ...urls, WEBHOOKS: 'off' }), null)
  t.match(refusal('relay', { ...urls, WEBHOOK_ALLOW: 'internal.example' }), 'WEBHOOK_ALLOW names what is no network')
})

t.test('production refuses one secret in two places: who learns one has both', async (t) => {
  t.match(refusal('api', { ...production, EVENT_KEYS: secret }), 'EVENT_KEYS is that of JWT_SECRET too')
  t.match(refusal('api', { ...production, PSEUDONYM_KEY: keys.EVENT_KEYS }), 'PSEUDONYM_KEY is that of EVENT_KEYS too')
  t.strictSame(named(refusal('api', { ...production, PSEUDONYM_KEY: key('old'), JWT_SECRET: `${secret},${key('old')}` })), ['PSEUDONYM_KEY'], 'also with the second of two')
  t.strictSame(named(refusal('api', { ...production, AMQP_URL: `amqp://u:${secret}@mq` })), ['JWT_SECRET'], 'also with a password')
})

t.test('production refuses passwords of services that are published or of no strength', async (t) => {
  const bad = {
    DATABASE_URL: ['postgres://postgres:postgres@db/comanda', 'postgres://comanda:comanda@db/comanda', 'postgres://comanda:development-only@db/comanda', 'postgres://u:password@db/comanda', 'postgres://u@db/comanda?password=postgres', 'postgres://u:aaaaaaaaaaaa@db/x', 'postgres://storefront:storefront@db/x', 'postgres://u:pa%73sw0rd@db/x', 'postgres://u:PASSWORD@db/x', 'postgres://u:p@localhost/x?host=db'],
    REDIS_URL: ['redis://:development-only@r:6379', 'rediss://:12345678@r', 'redis://:short@r', 'redis://:changeme@r'],
    AMQP_URL: ['amqp://guest:guest@mq', 'amqp://gu%65st:gu%65st@mq', 'amqp://mq:5672', 'amqps://comanda:development-only@mq/v', 'amqp://admin:admin@mq', 'amqp://u:qwertyuiop@mq', 'amqp://StoreFront:storefront@mq']
  }
  for (const [name, values] of Object.entries(bad)) {
    for (const value of values) {
      const message = refusal('worker', { ...production, [name]: value })
      t.match(message, `${name} is given with a password that is `, value)
      t.strictSame(named(message), [name])
      const { password } = new URL(value)
      if (password.length > 1) t.notMatch(message!.replaceAll('published', ''), `:${password}`)
      t.equal(refusal('worker', { ...production, [name]: value, NODE_ENV: 'development' }), null)
    }
  }
  for (const DATABASE_URL of ['postgres://u@db/comanda', `postgres://u:${key('db')}@db/comanda`, 'postgres://u:correct%20Horse%239@db/comanda']) t.equal(refusal('api', { ...production, DATABASE_URL }), null, DATABASE_URL)
})

t.test('a service that only this machine reaches may keep the password that it was delivered with', async (t) => {
  for (const host of ['localhost', '127.0.0.1', '[::1]']) {
    t.equal(refusal('api', { ...production, DATABASE_URL: `postgres://postgres:postgres@${host}/comanda`, AMQP_URL: `amqp://guest:guest@${host}` }), null, host)
  }
  for (const host of ['127.0.0.1.example.org', 'localhost.example.org', '128.0.0.1', '[::2]']) t.strictSame(named(refusal('api', { ...production, AMQP_URL: `amqp://guest:guest@${host}` })), ['AMQP_URL'], host)
})

t.test('production refuses a Redis and a RabbitMQ on another machine without a password', async (t) => {
  for (const [name, value] of [['REDIS_URL', 'redis://r:6379'], ['REDIS_URL', 'rediss://comanda@r'], ['AMQP_URL', 'amqp://u@mq'], ['AMQP_URL', 'amqps://u:@mq/v']] as const) {
    t.match(refusal('worker', { ...production, [name]: value }), `${name} is given without a password`, value)
    t.equal(refusal('worker', { ...production, [name]: value, NODE_ENV: 'development' }), null)
  }
  for (const taken of [{ REDIS_URL: 'redis://127.0.0.1:6379' }, { REDIS_URL: `redis://r?password=${key('cache')}` }, { AMQP_URL: 'amqp://u@localhost' }]) t.equal(refusal('worker', { ...production, ...taken }), null, JSON.stringify(taken))
})

t.test('a worker needs no secret for tokens and no key of pseudonyms, and holds none', async (t) => {
  for (const env of [production, { ...production, JWT_SECRET: undefined, PSEUDONYM_KEY: undefined }]) {
    const { jwtSecrets, pseudonymKey, eventKeys } = loadConfig('worker', env, random)
    t.strictSame([jwtSecrets, pseudonymKey, eventKeys], [[], null, [keys.EVENT_KEYS]])
  }
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
  t.match(loadConfig('api', { DATABASE_URL: urls.DATABASE_URL, REDIS_URL: 'redis://hunter7@r', OTEL_EXPORTER_OTLP_ENDPOINT: 'https://hunter8@c/' }, random).shown, { REDIS_URL: 'redis://***@r', OTEL_EXPORTER_OTLP_ENDPOINT: 'https://***@c/' }, 'nor a name that may be one')
  t.match(loadConfig('worker', { DATABASE_URL: 'postgres://a/b', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://a:hunter2@[' }, random).shown, { OTEL_EXPORTER_OTLP_ENDPOINT: '***', JWT_SECRET: null })
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

t.test('a process migrates unless it is told not to, or is behind a pooler that no migration gets through', async (t) => {
  const table: Array<[env: Record<string, string>, migrates: boolean]> = [[{}, true], [{ MIGRATE: 'on' }, true], [{ MIGRATE: 'off' }, false], [{ DATABASE_POOLING: 'transaction' }, false], [{ DATABASE_POOLING: 'session' }, true]]
  for (const [env, migrates] of table) t.equal(loadConfig('api', { ...urls, ...env }, random).migrates, migrates, JSON.stringify(env))
  t.match(refusal('api', { ...urls, MIGRATE: 'on', DATABASE_POOLING: 'transaction' }), /MIGRATE is on, which DATABASE_POOLING=transaction does not allow/)
})

t.test('a URL that a driver would misread is refused by name, with the way out and without its value', async (t) => {
  const urlOf = { DATABASE_URL: (rest: string) => `postgres://${rest}`, REDIS_URL: (rest: string) => `redis://${rest}`, AMQP_URL: (rest: string) => `amqp://${rest}` }
  const table: Array<[rest: string, why: RegExp]> = [
    ...['hunter2/x', 'hunter2#x', 'hunter2?x', '5432/x', '5432#x', '1?x'].map((password): [string, RegExp] => [`ana:${password}@db:1`, /special character that is not percent-encoded: .*\/ as %2F/]),
    ['ana:hunter2%@db', /holds a % that encodes nothing: .*% as %25/],
    ['ana:hunter2%zz@db', /holds a % that encodes nothing/],
    ['ana:hunter2%ff@db', /holds a % that encodes nothing/],
    ['ana:hunter2@db1,ana:hunter2@db2', /names a user twice, or holds an @ .*: user and password stand once, before the first host/],
    ['ana:hunter2@db1,,db2', /is no URL/],
    ['ana:hunter2@db1,db2:70000', /is no URL/],
    ['ana:hunter2@::1:5', /is no URL: .*IPv6 address stands in brackets/],
    ['ana:hunter2@db:hunter2', /is no URL/],
    ['ana:hunter2@db:70000', /is no URL/],
    ['ana:hun ter2@db', /holds blanks/]
  ]
  for (const [name, whole] of Object.entries(urlOf)) {
    for (const [rest, why] of table) {
      const message = refusal('worker', { ...urls, [name]: whole(rest) })
      t.strictSame(named(message), [name], rest)
      t.match(message, why, rest)
      t.notMatch(message, /hunter2|5432|ana/, rest)
    }
    for (const fine of ['ana:p@ss@db:1', 'ana:p%2F%23%3F%40%25@db:1', 'db', '[::1]:7', '[fe80::1]']) t.equal(refusal('worker', { ...urls, [name]: whole(fine) }), null, fine)
  }
  const rest: Array<[env: Record<string, string>, why: RegExp]> = [
    [{ AMQP_URL: 'amqp://mq/shop/orders' }, /AMQP_URL names a virtual host with a \/: write it as %2F/],
    [{ AMQP_URL: 'amqp://mq//' }, /AMQP_URL names a virtual host with a \//],
    [{ DATABASE_URL: 'postgres://db/a/b' }, /DATABASE_URL has a path of several parts/],
    [{ DATABASE_URL: 'postgres://db1,db2/a' }, /DATABASE_URL names several hosts and does not say which of them is meant: add \?target_session_attrs=read-write/],
    [{ DATABASE_URL: 'postgres://db1,db2/a?target_session_attrs=standby' }, /DATABASE_URL asks for target_session_attrs other than read-write or primary, which is not supported/],
    [{ DATABASE_URL: 'postgres://db/a?target_session_attrs=any' }, /asks for target_session_attrs other than read-write or primary/],
    [{ REDIS_URL: 'redis://r1,r2' }, /REDIS_URL names several hosts, which is not supported/],
    [{ AMQP_MANAGEMENT_URL: 'http://u:p@m1:1,m2:1' }, /AMQP_MANAGEMENT_URL names several hosts, which is not supported/],
    [{ REDIS_URL: 'redis://r/cache' }, /REDIS_URL names a database that is no number/]
  ]
  for (const [env, why] of rest) t.match(refusal('worker', { ...urls, ...env }), why)
  for (const env of [{ AMQP_URL: 'amqp://u:p@mq1:1,mq2,[::1]:3/shop' }, { DATABASE_URL: 'postgres://u:p@db1:1,db2/a?target_session_attrs=read-write' }, { DATABASE_URL: 'postgres://db/a?target_session_attrs=primary' }, { AMQP_MANAGEMENT_URL: 'http://u:p@mq:15672/rabbit' }, { AMQP_URL: 'amqp://mq/%2F' }, { AMQP_URL: 'amqp://mq/shop%2Forders' }, { REDIS_URL: 'redis://r/3' }, { DATABASE_URL: 'postgres://db/a?host=/var/run/postgresql&options=-c%20search_path%3Dx' }, { DATABASE_URL: 'postgres://db/a?user=a@b&sslmode=require' }]) t.equal(refusal('worker', { ...urls, ...env }), null, JSON.stringify(env))
})

t.test('TRUST_PROXY that is no list of addresses is refused by name, with what is known', async (t) => {
  for (const bad of ['true', '1', 'proxy.example', '10.0.0.0/33', '10.0.0.0/8,*', '10.0.0.1/']) {
    const message = refusal('api', { ...urls, TRUST_PROXY: bad })
    t.strictSame(named(message), ['TRUST_PROXY'], bad)
    t.match(message, /names what is no address \(addresses, networks \(10\.0\.0\.0\/8\) and loopback, linklocal, uniquelocal are known/)
  }
  for (const fine of ['loopback', '10.0.0.0/8, ::1', 'fc00::/7']) t.equal(refusal('api', { ...urls, TRUST_PROXY: fine }), null, fine)
})
