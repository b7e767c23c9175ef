/** What every line of api and worker may hold, by its `msg`. Closed: an unknown message or key fails. docs/logs.md tells the meaning. */
import { Type, type TObject, type TProperties, type TSchema } from '@sinclair/typebox'
import { type TypeCheck, TypeCompiler } from '@sinclair/typebox/compiler'

const Uuid = Type.String({ pattern: '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' })
const Count = Type.Integer({ minimum: 0 })
const Text = Type.String({ minLength: 1 })
const Ms = Type.Number({ minimum: 0 })
const Uuids = Type.Array(Uuid, { maxItems: 250 })
const oneOf = (...values: string[]) => Type.Union(values.map((value) => Type.Literal(value)))
const maybe = <T extends TSchema>(schema: T) => Type.Optional(schema)

const everyLine = {
  level: Text,
  time: Type.String({ pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z$' }),
  name: oneOf('api', 'worker'),
  version: Text,
  pid: Count,
  /** Of what the line was written in, where traces are on. */
  trace_id: maybe(Type.String({ pattern: '^[0-9a-f]{32}$' })),
  msg: Text
}
const request_id = Type.String({ pattern: '^[\\w.:-]{1,64}$' })
/** Of an event it is what its envelope says, whoever published it. */
const anyRequestId = Type.String({ maxLength: 128 })
const reason = Text
const err = Type.Object({ type: Text, message: Type.String(), code: maybe(Text), stack: maybe(Text) }, { additionalProperties: false })
const { trace_id } = everyLine
const user_id = Type.Integer({ minimum: 1 })
const event = { order_id: Uuid, event_id: Uuid, request_id: anyRequestId, user_id, trace_id }
const batch_id = Uuid
const source = oneOf('queue', 'outbox', 'waiting', 'dead')
const asked = { order_id: maybe(Uuid), event_id: maybe(Uuid), order_ids: maybe(Uuids), batch_size: maybe(Count), replayed: maybe(Type.Literal(true)) }

const service = { service: oneOf('postgres', 'redis', 'rabbitmq') }
const off = { ...service, state: Type.Literal('off') }
const up = { ...service, state: Type.Literal('up'), host: Text, server_version: maybe(Text) }
const down = { ...service, state: Type.Literal('down'), host: Text, reason }
const Standing = Type.Object({ state: oneOf('starting', 'up', 'down', 'off'), since: Text }, { additionalProperties: false })
const config = Type.Record(Type.String({ pattern: '^[A-Z][A-Z0-9_]*$' }), Type.Union([Type.String(), Type.Number(), Type.Null()]), { additionalProperties: false })
const Address = Type.Object({ address: Text, family: Text, port: Count }, { additionalProperties: false })

export type Level = 'debug' | 'info' | 'warn' | 'error' | 'fatal'
const as = (level: Level, keys: TProperties = {}) => ({ level, schema: Type.Object({ ...everyLine, level: Type.Literal(level), ...keys }, { additionalProperties: false }) })

/** Every message there is, its level and its keys. */
export const messages: Readonly<Record<string, { level: Level, schema: TObject }>> = {
  listening: as('info'),
  'listening for /metrics': as('info'),
  started: as('info', { addresses: maybe(Type.Array(Address)), config }),
  drained: as('info'),
  'closing: what is under way is finished first': as('info', { signal: maybe(Text) }),
  closed: as('info'),
  'the collector takes no traces: they are dropped until it does, nothing else is harmed': as('warn', { reason }),
  'the collector takes traces again': as('info'),
  'another process creates or changes the tables: waiting for it': as('info'),
  'tables created or changed': as('info', { migrations: Type.Array(Text) }),

  'Postgres is up': as('info', up),
  'Redis is up': as('info', up),
  'RabbitMQ is up': as('info', up),
  'no REDIS_URL: running without Redis, orders are read from Postgres': as('info', off),
  'no AMQP_URL: running without RabbitMQ, orders go by the outbox': as('info', off),
  'Postgres is away: orders are still taken by the broker, all else waits; trying again': as('warn', down),
  'Redis is away: orders are read from Postgres, slower; trying again': as('warn', down),
  'RabbitMQ is away: orders go by the outbox; trying again': as('warn', down),

  request: as('info', { request_id, method: maybe(Text), route: Text, status: Count, duration_ms: Ms, user_id: maybe(user_id), trace_id, ...asked, reason: maybe(reason) }),
  'batch booked': as('info', {
    ...{ batch_id, source, batch_size: maybe(Count), attempt: maybe(Count), duration_ms: Ms },
    ...{ applied: Count, waiting: Count, rejected: Count, duplicates: Count, order_ids: Uuids, request_ids: Type.Array(anyRequestId) }
  }),
  'batch continued': as('info', { batch_id: maybe(batch_id), request_id: maybe(request_id), order_ids: Uuids, request_ids: maybe(Type.Array(anyRequestId)) }),
  'order event not applied': as('info', { batch_id, ...event, outcome: oneOf('waiting', 'rejected'), reason }),
  'order event taken by the outbox': as('info', { ...event, reason }),

  'messages came again and again, perhaps they ended the workers before: their events are unpacked into the outbox and tried alone; what ends a worker three times more is parked':
    as('warn', { batch_size: Count, attempt: Count, reason }),
  'messages of a newer schema are held until a newer worker takes them: deploy workers before apis': as('warn', { batch_size: Count, reason }),
  'a batch could not be written: it is held and tried again, nothing of it is acked; when it lasts, look at what Postgres says': as('warn', { batch_size: Count, attempt: Count, reason, err }),
  'the outbox cannot be read or booked: nothing of it is lost, it is tried again; when it lasts, look at what Postgres says': as('warn', { source, reason, err }),
  'an event was parked: it can never be applied as it is; `comanda parked show` and the parked_id tell more, `comanda parked replay` has it tried again':
    as('error', { parked_id: Type.String({ pattern: '^[0-9a-f]{64}$' }), source, reason, attempt: Count, bytes: Count, err: maybe(err), ...Type.Partial(Type.Object(event)).properties }),
  'a batch was committed, but not all was told of it: its orders are booked; err says where in the code to look': as('error', { source, reason, err }),
  'a request could not be served: answered 503, the client may try again; the last lines about the services say which is away': as('warn', { request_id, ...asked, reason, err }),
  'a request failed for a reason nobody foresaw: answered 500; err says where in the code to look': as('error', { request_id, ...asked, reason, err }),
  "Redis did not take the end of a user's sessions: in other processes their tokens live on for at most token_seconds; another change of the password ends them once Redis is back":
    as('warn', { user_id, token_seconds: Count, reason }),
  'not drained in time: the rest stays where it is; run it again when the services answer': as('error', { services: Type.Record(Text, Standing), reason, err: maybe(err) }),
  'crashed: closing what can be closed; nothing taken is lost, start it again; err says where in the code to look': as('fatal', { reason, err }),
  'ended before all was closed: what was not acked or confirmed comes again, nothing needs doing; the reason says what took too long': as('error', { reason, err: maybe(err) }),

  'a view was not read or written': as('debug', { err }),
  'a claim was not read or written': as('debug', { err }),
  'an idempotency key was not read or written': as('debug', { err })
}

const checks = new Map<string, TypeCheck<TObject>>()

/** What is wrong with a line; null when it keeps the contract. */
export function faultOf (line: unknown): string | null {
  const { msg } = line as { msg?: unknown }
  const known = typeof msg === 'string' && Object.hasOwn(messages, msg) ? messages[msg] : undefined
  if (!known) return `no line says ${JSON.stringify(msg)}`
  const check = checks.get(String(msg)) ?? TypeCompiler.Compile(known.schema)
  checks.set(String(msg), check)
  const fault = check.Errors(line).First()
  return fault ? `${fault.path}: ${fault.message} (${String(msg)})` : null
}
