/** Every line that api and worker log, by its stable code: level, text and keys. The code is the contract, the text may improve. docs/logs.md gives the meaning. */
import { type Static, type TObject, type TProperties, type TSchema, Type } from '@sinclair/typebox'

const Uuid = Type.String({ pattern: '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' })
const Count = Type.Integer({ minimum: 0 })
const Text = Type.String({ minLength: 1 })
const Ms = Type.Number({ minimum: 0 })
const Uuids = Type.Array(Uuid, { maxItems: 250 })
const oneOf = <Values extends string[]>(...values: Values) => Type.Union(values.map((value) => Type.Literal(value))) as TSchema & { static: Values[number] }
const maybe = <T extends TSchema>(schema: T) => Type.Optional(schema)

/** Of what the line was written in, where traces are on. */
export const TraceId = Type.String({ pattern: '^[0-9a-f]{32}$' })
const trace_id = maybe(TraceId)
const request_id = Type.String({ pattern: '^[\\w.:-]{1,64}$' })
/** What a client that is no trusted proxy calls its request; it proves nothing. */
const clientRequestId = Type.String({ pattern: '^[\\w.:-]{1,64}$' })
/** Of an event it is what its envelope says, from any publisher. */
const anyRequestId = Type.String({ maxLength: 128 })
/** Of a personal value, keyed: equal values have equal ones. */
const Pseudonym = Type.String({ pattern: '^[\\w-]{22}$' })
const reason = Text
const err = Type.Object({ type: Text, message: Type.String(), code: maybe(Text), stack: maybe(Text) }, { additionalProperties: false })
const user_id = Type.Integer({ minimum: 1 })
const orderEvent = { order_id: Uuid, event_id: Uuid, request_id: anyRequestId, user_id, trace_id }
const batch_id = Uuid
const source = oneOf('queue', 'fallback', 'waiting', 'dead')
const cursor = oneOf('exchange', 'webhooks')
const delivery = { webhook_id: Uuid, delivery_id: Count }
const asked = { order_id: maybe(Uuid), event_id: maybe(Uuid), order_ids: maybe(Uuids), batch_size: maybe(Count), replayed: maybe(Type.Literal(true)), target_user_id: maybe(user_id), webhook_id: maybe(Uuid) }

const service = { service: oneOf('postgres', 'redis', 'rabbitmq') }
const off = { ...service, state: Type.Literal('off') }
const up = { ...service, state: Type.Literal('up'), host: Text, node: maybe(Text), server_version: maybe(Text) }
const down = { ...service, state: Type.Literal('down'), host: Text, reason }
const Status = Type.Object({ state: oneOf('starting', 'up', 'down', 'off'), since: Text, lacks: maybe(Type.Array(Text)) }, { additionalProperties: false })
const config = Type.Record(Type.String({ pattern: '^[A-Z][A-Z0-9_]*$' }), Type.Union([Type.String(), Type.Number(), Type.Null()]), { additionalProperties: false })
const Address = Type.Object({ address: Text, family: Text, port: Count }, { additionalProperties: false })

export type Level = 'debug' | 'info' | 'warn' | 'error' | 'fatal'

function entry <Keys extends TProperties = Record<never, never>> (level: Level, text: string, keys = {} as Keys): { level: Level, text: string, keys: TObject<Keys> } {
  return { level, text, keys: Type.Object(keys, { additionalProperties: false }) }
}

export const catalogue = {
  listening: entry('info', 'Listening'),
  ops_listening: entry('info', 'Listening for /metrics'),
  started: entry('info', 'Started', { addresses: maybe(Type.Array(Address)), config }),
  drained: entry('info', 'Drained'),
  closing: entry('info', 'Closing: finishing work in progress', { signal: maybe(Text) }),
  closed: entry('info', 'Closed'),
  collector_down: entry('warn', 'Trace collector is down: dropping spans until it is back', { reason }),
  collector_up: entry('info', 'Trace collector is up again'),
  migrations_awaited: entry('info', 'Waiting for another process to finish the migrations'),
  migrations_applied: entry('info', 'Migrations applied', { migrations: Type.Array(Text) }),
  console_missing: entry('warn', 'The console is not served: `npm run build` makes it, CONSOLE=off says that it is not wanted', { reason }),
  names_keyed: entry('info', 'Names of erased users are kept by keyed hashes now', { names: Count }),

  postgres_up: entry('info', 'PostgreSQL is up', up),
  redis_up: entry('info', 'Redis is up', up),
  rabbitmq_up: entry('info', 'RabbitMQ is up', up),
  redis_off: entry('info', 'No REDIS_URL: running without Redis; orders are read from PostgreSQL', off),
  rabbitmq_off: entry('info', 'No AMQP_URL: running without RabbitMQ; orders go to the fallback queue', off),
  postgres_down: entry('warn', 'PostgreSQL is down: orders still go to the broker; retrying', down),
  redis_down: entry('warn', 'Redis is down: orders are read from PostgreSQL, more slowly; retrying', down),
  rabbitmq_down: entry('warn', 'RabbitMQ is down: orders go to the fallback queue; retrying', down),

  proxy_not_trusted: entry('warn', 'X-Forwarded-For came, and TRUST_PROXY is not set: if a proxy is in front, all clients count as one address', { request_id, reason }),
  request: entry('info', 'Request completed', { request_id, method: maybe(Text), route: Text, status: Count, duration_ms: Ms, user_id: maybe(user_id), client_request_id: maybe(clientRequestId), trace_id, ...asked, reason: maybe(reason) }),
  stream_ended: entry('info', 'Event stream ended', { request_id, user_id, duration_ms: Ms, events: Count, reason: oneOf('client_left', 'time_over', 'session_ended', 'closing', 'unread', 'unavailable') }),
  login_failed: entry('info', 'Login failed or refused', { request_id, trace_id, name_hash: Pseudonym, address_hash: Pseudonym, reason }),
  batch_booked: entry('info', 'Batch booked', {
    ...{ batch_id, source, batch_size: maybe(Count), attempt: maybe(Count), duration_ms: Ms },
    ...{ applied: Count, waiting: Count, rejected: Count, duplicates: Count, order_ids: Uuids, request_ids: Type.Array(anyRequestId) }
  }),
  batch_continued: entry('info', 'Further orders of the same batch', { batch_id: maybe(batch_id), request_id: maybe(request_id), order_ids: Uuids, request_ids: maybe(Type.Array(anyRequestId)) }),
  order_event_not_applied: entry('info', 'Order event not applied', { batch_id, ...orderEvent, outcome: oneOf('waiting', 'rejected'), reason }),
  fallback_taken: entry('info', 'Order event stored in the fallback queue', { ...orderEvent, reason }),

  messages_redelivered: entry('warn', 'Messages redelivered too often: moved to the fallback queue, to be tried one event at a time', { batch_size: Count, attempt: Count, reason }),
  newer_schema_deferred: entry('warn', 'Events of a newer schema wait in the fallback queue for a newer worker: deploy one', { batch_size: Count, reason }),
  batch_retried: entry('warn', 'Batch not written: nothing acknowledged, retrying; if it persists, check PostgreSQL', { batch_size: Count, attempt: Count, reason, err }),
  fallback_retried: entry('warn', 'Fallback queue not read or booked: nothing lost, retrying; if it persists, check PostgreSQL', { source, reason, err }),
  job_retried: entry('warn', 'Step of a job not done: nothing of it was written, retrying; if it persists, check PostgreSQL', { reason, err }),
  job_done: entry('info', 'Job done', { job_id: Uuid, kind: Text, done: Count, failed: Count }),
  orders_expired: entry('info', 'Stale orders handed over to be cancelled', { run: Uuid, orders: Count }),
  sweep_failed: entry('warn', 'Stale orders not looked for: nothing lost, trying again; if it persists, check PostgreSQL', { reason, err }),
  event_parked: entry('error', 'Event parked: it cannot be applied as it is; `comanda parked show` explains it, `comanda parked replay` retries it', {
    ...{ parked_id: Type.String({ pattern: '^[0-9a-f]{64}$' }), source, reason, attempt: Count, bytes: Count, err: maybe(err) },
    ...Type.Partial(Type.Object(orderEvent)).properties
  }),
  after_commit_failed: entry('error', 'Batch committed, but a later step failed: its orders are booked', { source, reason, err }),
  service_unavailable: entry('warn', 'Service unavailable: responded 503, the client may retry; the last `*_down` line says which', { request_id, ...asked, reason, err }),
  unhandled_error: entry('error', 'Unhandled error: responded 500', { request_id, ...asked, reason, err }),
  revocation_not_shared: entry('warn', "Redis did not store the end of a user's sessions: other processes accept their tokens until it does, for up to token_seconds; it is tried again as soon as Redis is up",
    { user_id, token_seconds: Count, reason }),
  redis_rights_missing: entry('warn', 'Redis refuses commands to this user by which ended sessions are told to every process: they end up to 15 seconds later elsewhere, or with their token', { commands: Type.Array(Text), reason }),
  log_lines_dropped: entry('warn', 'This log was not read, or its disk was full: lines were dropped', { lines: Count }),
  relay_leading: entry('info', 'Telling what happens from this cursor on: other relays stand by', { cursor, position: Count }),
  relay_replaced: entry('warn', 'Another relay has this cursor now, or an operator moved it: what was under way may be told again', { cursor, position: Count, reason }),
  relay_retried: entry('warn', 'What happens is not told from this cursor on: nothing lost, retrying; if it persists, check RabbitMQ and PostgreSQL', { cursor, reason, err }),
  webhooks_retried: entry('warn', 'Webhook deliveries not taken or not recorded: nothing lost, retrying; if it persists, check PostgreSQL', { reason, err }),
  webhook_not_delivered: entry('info', 'Webhook not delivered: it is tried again, unless it is given up', { ...delivery, duration_ms: Ms, status: maybe(Count), reason }),
  webhook_given_up: entry('warn', 'Webhook delivery given up: its owner or an operator can replay it', { ...delivery, reason }),
  webhook_disabled: entry('warn', 'Webhook disabled: its deliveries wait until it is enabled again', { webhook_id: Uuid, reason: oneOf('owner', 'operator', 'gone', 'failing') }),
  webhook_key_missing: entry('warn', 'Webhook not signed: DATA_KEYS of this relay lacks its key; the delivery waits until it is given', { ...delivery, reason }),
  not_drained: entry('error', 'Not drained in time: the rest stays queued; run it again once the services are up', { services: Type.Record(Text, Status), reason, err: maybe(err) }),
  crashed: entry('fatal', 'Crashed: closing; nothing accepted is lost, restart the process', { reason, err }),
  exit_forced: entry('error', 'Exited before everything was closed: unacknowledged work is redelivered, no action needed', { reason, err: maybe(err) }),

  view_missed: entry('debug', 'Order view not read or written', { err }),
  change_lock_missed: entry('debug', 'Change lock not read or written', { err }),
  idempotency_key_missed: entry('debug', 'Idempotency key not read or written', { err }),
  limit_missed: entry('debug', 'Limit not shared: this process counts for itself', { err })
}

type Catalogue = typeof catalogue
export type Code = keyof Catalogue

/** A request's logger adds its id, a trace its own. */
type Bound = 'request_id' | 'trace_id'
type Item<Value> = Value extends Array<infer One> ? readonly One[] : Value
/** Before it is serialized: any error, and undefined where a key may be missing. */
type Raw<Keys> = { [K in keyof Keys]: K extends 'err' ? unknown : object extends Pick<Keys, K> ? Item<Keys[K]> | undefined : Item<Keys[K]> }
type Given<Keys> = Raw<Omit<Keys, Bound>> & Raw<Partial<Pick<Keys, Bound & keyof Keys>>>

/** What is logged under a code. */
export type LogLine<C extends Code = Code> = C extends Code ? { event: C } & Given<Static<Catalogue[C]['keys']>> : never
