import { inTime } from '../time/in-time.js'
import type { Clock } from './clock.js'
import { addressIn, type Env, examineConfiguration } from './configuration.js'
import { type Finding, Notes } from './finding.js'
import type { Where } from './address.js'
import { SERVICE_MS } from './limits.js'
import { examinePostgres } from './postgres.js'
import { examineRabbitmq } from './rabbitmq.js'
import { examineRedis } from './redis.js'
import { explain } from './trouble.js'

type Examine = (notes: Notes, where: Where, now: Clock) => Promise<void>

/**
 * Looks at the environment and at every service it names, all at the same time, and changes nothing in any of them. Never
 * throws and takes about 10 s at most: what cannot be looked at is a finding.
 */
export async function examineAll (env: Env, now: Clock): Promise<Finding[]> {
  const services = await Promise.all([
    examineService(env, new Notes('postgres'), 'DATABASE_URL', examinePostgres, now),
    examineService(env, new Notes('redis'), 'REDIS_URL', examineRedis, now),
    examineService(env, new Notes('rabbitmq'), 'AMQP_URL', examineRabbitmq, now)
  ])
  return [examineConfiguration(env), ...services].flatMap(({ findings }) => [...findings])
}

async function examineService (env: Env, notes: Notes, variable: 'DATABASE_URL' | 'REDIS_URL' | 'AMQP_URL', examine: Examine, now: Clock): Promise<Notes> {
  const where = addressIn(env, variable)
  if (!where) {
    if (!env[variable] && env.NODE_ENV !== 'production' && variable !== 'DATABASE_URL') notes.ok('connection', `no ${variable}: this service runs without it`)
    else notes.wrong('connection', `not looked at: ${variable} says no address`, `correct ${variable}`)
    return notes
  }
  await inTime(examine(notes, { ...where, env }, now), SERVICE_MS).catch((error: unknown) => {
    notes.trouble(explain((error as { code?: string }).code, error, where.address))
  })
  return notes
}
