import type { Failure } from './input-faults.js'

/** Members of an object that takes only those it knows: enough to tell every slip of an honest client. */
export const MOST_MEMBERS = 50

interface Schema {
  type?: string
  anyOf?: Schema[]
  items?: Schema
  maxItems?: number
  properties?: Record<string, Schema>
  additionalProperties?: unknown
  maxProperties?: number
}

/** @returns the first place that holds too much, if there is one */
export type Bound = (value: unknown, at?: string) => Failure | null

/**
 * What is looked at before anything else: Ajv, that is to list all faults, goes on behind such a one and lists every item and
 * member beyond it as well. A schema without a bound of its own gets one here, or is refused when the api is built.
 * @returns null where there is nothing to bound
 */
export function boundOf (schema: Schema): Bound | null {
  if (schema.anyOf) return boundOfEither(schema.anyOf)
  if (schema.type === 'array') return boundOfList(schema)
  return schema.type === 'object' ? boundOfObject(schema) : null
}

/** Each bounds values of its own kind alone. */
function boundOfEither (schemas: readonly Schema[]): Bound | null {
  const bounds = schemas.flatMap((schema) => boundOf(schema) ?? [])
  return bounds.length === 0 ? null : (value, at) => firstOf(bounds.entries(), (_index, bound) => bound(value, at))
}

function boundOfList ({ items = {}, maxItems }: Schema): Bound {
  if (maxItems === undefined) throw new Error('a list that clients send needs maxItems')
  const within = boundOf(items)
  return (value, at = '') => {
    if (!Array.isArray(value)) return null
    if (value.length > maxItems) return { instancePath: at, keyword: 'maxItems', message: `must NOT have more than ${maxItems} items` }
    return within && firstOf(value.entries(), (index, item) => within(item, `${at}/${index}`))
  }
}

function boundOfObject ({ properties = {}, additionalProperties, maxProperties }: Schema): Bound | null {
  const most = maxProperties ?? (additionalProperties === false ? MOST_MEMBERS : Infinity)
  const bounds = Object.entries(properties).flatMap(([name, schema]) => {
    const bound = boundOf(schema)
    return bound ? [[name, bound] as const] : []
  })
  if (most === Infinity && bounds.length === 0) return null
  return (value, at = '') => {
    if (typeof value !== 'object' || value === null) return null
    if (Object.keys(value).length > most) return { instancePath: at, keyword: 'maxProperties', message: `must NOT have more than ${most} members` }
    return firstOf(bounds, (name, bound) => bound((value as Record<string, unknown>)[name], `${at}/${name}`))
  }
}

function firstOf <Key, Value> (entries: Iterable<readonly [Key, Value]>, find: (key: Key, value: Value) => Failure | null): Failure | null {
  for (const [key, value] of entries) {
    const found = find(key, value)
    if (found) return found
  }
  return null
}
