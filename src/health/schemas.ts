import { Type } from '@sinclair/typebox'
import type { ServiceState } from './health.js'

export const Liveness = Type.Object({ status: Type.Literal('alive') }, { $id: 'Liveness' })

const ServiceStanding = Type.Object({
  state: Type.Unsafe<ServiceState>({ type: 'string', enum: ['starting', 'up', 'down', 'off'], description: '`off`: this process was told to run without it' }),
  since: Type.String({ format: 'date-time', examples: ['2026-11-23T12:00:00.000Z'] }),
  lacks: Type.Optional(Type.Array(Type.String(), { description: 'Commands that it refuses to this user' }))
}, { $id: 'ServiceStanding' })

const readiness = {
  status: Type.Unsafe<string>({ type: 'string', enum: ['ready', 'degraded', 'unready', 'closing'], description: '`degraded`: it does its work, without one of its services, or without all of one' }),
  services: Type.Object({ postgres: ServiceStanding, redis: ServiceStanding, rabbitmq: ServiceStanding })
}
export const Readiness = Type.Object(readiness, { $id: 'Readiness' })

const Progress = Type.Optional(Type.Object({
  stuck: Type.Boolean(),
  sources: Type.Record(Type.String(), Type.Object({ ready: Type.Integer(), unsettled: Type.Integer(), idle_ms: Type.Integer(), deferred: Type.Optional(Type.Integer()), stuck: Type.Boolean() }))
}))
export const WorkerReadiness = Type.Object({
  ...readiness,
  progress: Progress
})

export const RelayReadiness = Type.Object({
  status: readiness.status,
  services: Type.Object({ postgres: ServiceStanding, rabbitmq: ServiceStanding }),
  progress: Progress
})
