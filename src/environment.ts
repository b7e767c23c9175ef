import { Type } from '@sinclair/typebox'
import { DATA_KEYS_PATTERN } from './secrets/keyring.js'

const url = (protocols: string, description: string) => Type.String({ pattern: `^(${protocols})://[^\\s/]+`, description })

/** Nothing that is cut off before it is judged, or cannot be seen. */
const KEY = '[^,\\s\\p{C}]{32,}'

const oneOf = <const Word extends string>(words: readonly Word[], description: string, otherwise?: Word) => Type.Union(words.map((word) => Type.Literal(word)), { description, ...(otherwise && { default: otherwise }) })
const OTLP_PROTOCOLS = ['http/protobuf', 'http/json'] as const
export type OtlpProtocol = typeof OTLP_PROTOCOLS[number]

/** The one schema of the environment. The table of docs/configuration.md is checked against it. */
export const Environment = Type.Object({
  NODE_ENV: Type.Union([Type.Literal('development'), Type.Literal('production'), Type.Literal('test')], {
    default: 'development', description: 'In `production` a missing URL or secret refuses to start, and so does one that is published, easily guessed or used twice, and a Redis or RabbitMQ on another machine without a password'
  }),
  DATABASE_URL: url('postgres|postgresql', 'Postgres, `postgres://user:password@host:5432/database`; needed always. With several hosts, comma separated, and `?target_session_attrs=read-write` each connection goes to the one that takes writes. In this and the next two, special characters of user and password are percent-encoded'),
  REDIS_URL: Type.Optional(url('redis|rediss', 'Redis, `redis://host:6379`; outside production it may be missing: views are read from the tables')),
  AMQP_URL: Type.Optional(url('amqp|amqps', 'RabbitMQ, `amqp://user:password@host:5672/vhost`; of a cluster all nodes, `a:5672,b:5672`, or a name that has the addresses of all: they are tried in turn. Outside production it may be missing: orders go by the fallback queue')),
  AMQP_MANAGEMENT_URL: Type.Optional(url('http|https', "RabbitMQ's management API, `http://user:password@host:15672`, a user with the tag `monitoring`: from it doctor and the worker's metrics know the leader and the members of the queues. Missing: they do not tell")),
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
  DATA_KEYS: Type.Optional(Type.String({
    pattern: DATA_KEYS_PATTERN, description: 'Seals secrets of webhooks in Postgres (AES-256-GCM): `<id>:<32 bytes in base64>`, comma separated, the same for api and relay; the first seals, all open, so keep an old one until nothing is sealed by it. Missing outside production: a published one'
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
  CONSOLE: oneOf(['on', 'off'], '`off`: an api serves no page for operators at /console/, and takes no cookie', 'on'),
  TRUST_PROXY: Type.Optional(Type.String({ minLength: 1, description: 'Addresses or networks of the proxies in front, comma separated (`10.0.0.0/8`, `loopback`); their `X-Forwarded-For`, `X-Forwarded-Proto` and `X-Request-Id` are believed' })),
  WEBHOOKS: oneOf(['on', 'off'], '`off`: an api has no routes for webhooks, and a relay sends none; what happens meanwhile is sent once it is on again', 'on'),
  WEBHOOK_ALLOW: Type.Optional(Type.String({ minLength: 1, description: 'Networks that webhooks may lead to though they are not public, and by plain http too, comma separated (`10.0.0.0/8`). Missing outside production: every address is allowed' })),
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
  STALE_AFTER: Type.Optional(Type.String({ pattern: '^[1-9][0-9]{0,5}[smhd]$', description: 'An order that is neither paid nor changed for so long is cancelled by the workers, with the reason `expired`: `30m`, `72h`, `14d`. Missing: none ever is' })),
  LOGIN_LIMIT: Type.Integer({ default: 20, minimum: 1, description: 'A minute: failed logins for one name from one address (from one address for all names ten times as many), registrations, changes of users, registrations, changes and test calls of webhooks from one address, changes of one password' })
})
