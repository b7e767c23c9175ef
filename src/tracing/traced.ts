/** Existing objects made to leave spans. Their callers know nothing of it, and where traces are off nothing is in their way. */
import type { Attributes } from '@opentelemetry/api'
import type { SerializedEvent } from '../orders/envelope.js'
import type { Traces } from './traces.js'

type Call = (...args: unknown[]) => Promise<unknown>
type MethodOf<T> = { [Name in keyof T]: T[Name] extends (...args: never[]) => Promise<unknown> ? Name : never }[keyof T]

interface Connection { query (...args: never[]): unknown }
interface Pool extends Connection { connect (...args: never[]): unknown }

/** The statements of a pool and of its clients. Calls with a callback are the pool's own and pass as they are. */
export function traceStatements (traces: Traces, pool: Pool): void {
  const traced = new WeakSet<object>()
  const connect = (pool.connect as Call).bind(pool)
  traceQueries(traces, pool)
  Object.assign(pool, {
    connect: (...args: unknown[]) => args.length > 0
      ? connect(...args)
      : connect().then((client) => {
        if (!traced.has(client as Connection)) traceQueries(traces, client as Connection)
        traced.add(client as Connection)
        return client
      })
  })
}

function traceQueries (traces: Traces, connection: Connection): void {
  const query = (connection.query as Call).bind(connection)
  Object.assign(connection, {
    query: (...args: unknown[]) => {
      if (typeof args.at(-1) === 'function') return query(...args)
      const [statement] = args as [string | { name?: string, text: string }]
      const { name, text } = typeof statement === 'string' ? { name: statement, text: statement } : statement
      return traces.inside(name ?? text, 'CLIENT', { 'db.system.name': 'postgresql', 'db.query.text': text }, async () => await query(...args))
    }
  })
}

/** Methods that ask Redis, each a span `<of>.<method>`: what its caller waited for, though several may share one command. */
export function traceCalls<T extends object> (traces: Traces, target: T, of: string, methods: ReadonlyArray<MethodOf<T>>): void {
  for (const method of methods) {
    const call = (target[method] as Call).bind(target)
    const name = `${of}.${String(method)}`
    Object.assign(target, {
      [method]: (...args: unknown[]) => traces.inside(name, 'CLIENT', { 'db.system.name': 'redis', 'db.operation.name': name }, async () => await call(...args))
    })
  }
}

interface Intake {
  take (serialized: SerializedEvent): Promise<string>
  takeAll (events: readonly SerializedEvent[]): Array<Promise<string>>
}

const PUBLISH: Attributes = { 'messaging.system': 'rabbitmq', 'messaging.operation.type': 'send', 'messaging.destination.name': 'comanda.intake' }

/**
 * One span for each request's events, from their arrival to the confirm. Not one for each message: it holds the events of many
 * requests, and what a request waits for is its own.
 */
export function tracePublishing (traces: Traces, intake: Intake): void {
  const take = intake.take.bind(intake)
  const takeAll = intake.takeAll.bind(intake)
  intake.take = (serialized) => {
    const { event_id, order } = serialized.event
    return traces.inside('publish order event', 'PRODUCER', { ...PUBLISH, 'messaging.message.id': event_id, 'comanda.order_id': order.order_id }, async (span) => {
      const path = await take(serialized)
      span?.setAttribute('comanda.path', path)
      return path
    })
  }
  intake.takeAll = (events) => {
    let taken: Array<Promise<string>> = []
    void traces.inside('publish order events', 'PRODUCER', { ...PUBLISH, 'messaging.batch.message_count': events.length }, async () => {
      taken = takeAll(events)
      await Promise.all(taken)
    }).catch(() => {}) // each caller is told by its own promise
    return taken
  }
}
