import type { Redis, Result } from 'ioredis'
import { fromEnvelope, serializeEvent } from '../orders/envelope.js'
import { type Order, orderJson } from '../orders/order.js'
import { type AcceptedView, higher, type OrderView, rank } from '../orders/view.js'
import type { Mac } from '../secrets/mac.js'
import { MissedViews } from './missed-views.js'
import type { DatedView, ViewToPut } from './view-to-put.js'

declare module 'ioredis' {
  interface RedisCommander<Context> {
    /** KEYS: one a view. ARGV: their life in milliseconds, one value a view, then for each that replaces an event its number and that event. */
    putOrderViews (...args: Array<string | number>): Result<number, Context>
    /** Milliseconds since views were first kept here. */
    ageOfViews (key: string): Result<number, Context>
    /** Deletes the value if it is still this one. */
    dropView (key: string, value: string): Result<number, Context>
  }
}

/**
 * A value is `<rank, 12 digits> <event_id> <signature, or -> <written, ms since 1970> <JSON: the order, or the envelopes of the
 * events taken while it is not persisted>`: the guard reads its first bytes and never parses JSON.
 * A write needs a higher rank, with one exception: a view of an event that was rejected meanwhile gives way to any rank,
 * because it shows what will never be.
 */
const PUT = `
local replaced = {}
for i = #KEYS + 2, #ARGV, 2 do replaced[tonumber(ARGV[i])] = ARGV[i + 1] end
for i, key in ipairs(KEYS) do
  local value = ARGV[i + 1]
  local found = redis.call('getrange', key, 0, 48)
  if found == '' or string.sub(found, 1, 12) < string.sub(value, 1, 12) or string.sub(found, 14, 49) == replaced[i] then
    redis.call('set', key, value, 'PX', ARGV[1])
  end
end
return #KEYS`

const DROP = "return redis.call('get', KEYS[1]) == ARGV[1] and redis.call('del', KEYS[1]) or 0"

/** By Redis' own clock; an emptied Redis is as good as a new one. */
const AGE = `
local now = redis.call('time')
now = now[1] * 1000 + math.floor(now[2] / 1000)
return now - (redis.call('set', KEYS[1], now, 'NX', 'GET') or now)`

/** A persisted view is a copy of a row: short-lived, so that whatever went wrong heals by itself. */
const PERSISTED_MS = 60_000
/** An unpersisted view may be the only thing a reader can see while a backlog is worked off. */
const UNPERSISTED_MS = 24 * 3_600_000
/** How far the clocks of two processes may lie apart: a persisted view that claims to be older than its life and this was put back. */
const CLOCKS_APART_MS = 60_000
const RANK_DIGITS = 12
const VALUE = /^(\d{12} ([0-9a-f-]{36})) (\S+) ((\d+) (.*))$/s

export interface FoundView {
  view: OrderView | null
  /** false: Redis could not be asked, so a missing view says nothing */
  asked: boolean
}

/**
 * Order views in Redis. Every failure is a miss: it is counted, reported once a call through `onFailure`, and never thrown.
 * What Redis did not take is tried again for as long as an older view could stand there instead.
 */
export class OrderViews {
  /** How many reads came to what, since the start. */
  readonly reads = { hit: 0, miss: 0, error: 0 }
  readonly #redis: Redis
  readonly #prefix: string
  readonly #mac: Mac | null
  readonly #onFailure: (error: Error) => void
  #wanted: string[] = []
  #reading: Promise<ReadonlyArray<string | null>> | null = null
  #gathered: DatedView[] = []
  #writing: Promise<boolean> | null = null
  readonly #missed: MissedViews
  /** Views written since then are there: Redis was in sight again, or was new. Milliseconds since 1970. */
  #doubtedFrom = 0
  #doubtedUntil = 0

  /** @param mac signs each value, and only what it verifies is believed; null: no key is given */
  constructor (redis: Redis, prefix: string, mac: Mac | null, onFailure: (error: Error) => void) {
    this.#redis = redis
    this.#prefix = prefix
    this.#mac = mac
    this.#onFailure = onFailure
    this.#missed = new MissedViews({ write: async (views) => await this.#write(views), lifeMs: PERSISTED_MS, onOverflow: () => this.doubt() })
    if ('putOrderViews' in redis) return
    const client: Redis = redis
    client.defineCommand('putOrderViews', { lua: PUT })
    client.defineCommand('ageOfViews', { lua: AGE, numberOfKeys: 1 })
    client.defineCommand('dropView', { lua: DROP, numberOfKeys: 1 })
  }

  /**
   * Whether views may be missing, or older than what was seen elsewhere: Redis has not taken some yet, or it was out of sight,
   * or emptied, so lately that a persisted view from before may still live.
   */
  get inDoubt (): boolean {
    return this.#missed.size > 0 || Date.now() < this.#doubtedUntil
  }

  /**
   * Whether a view of an order may be missing that is known to be as of `since` (milliseconds since 1970; null: it is not known at
   * all): whatever is newer than an order that was changed since Redis is in sight again is there.
   */
  mayMiss (since: number | null): boolean {
    return Date.now() < this.#doubtedUntil && (since === null || since < this.#doubtedFrom)
  }

  /** For the next minute: Redis was out of sight, and whatever was written meanwhile is not there. */
  doubt (): void {
    this.#doubtFrom(Date.now())
  }

  #doubtFrom (moment: number): void {
    this.#doubtedFrom = Math.max(this.#doubtedFrom, moment)
    this.#doubtedUntil = Math.max(this.#doubtedUntil, moment + PERSISTED_MS)
  }

  /** What this process could not write yet is found all the same. */
  async get (orderId: string): Promise<FoundView> {
    const found = await this.#get(orderId)
    const own = this.#missed.size > 0 ? this.#missed.get(orderId) : undefined
    return own ? { ...found, view: higher(own.view, found.view) } : found
  }

  async #get (orderId: string): Promise<FoundView> {
    const value = await this.#ask(this.#key(orderId))
    if (value === undefined) {
      this.reads.error++
      return { view: null, asked: false }
    }
    try {
      if (value !== null) return await this.#read(orderId, value)
      this.reads.miss++
      const age = await this.#redis.ageOfViews(`${this.#prefix}views:since`)
      this.#doubtFrom(Date.now() - age)
      return { view: null, asked: true }
    } catch (error) {
      this.reads.error++
      this.#onFailure(error as Error)
      return { view: null, asked: false }
    }
  }

  /** A value that is not ours hides what may be true, and its rank would keep it there: it is dropped. @throws what ended that */
  async #read (orderId: string, value: string): Promise<FoundView> {
    const view = decode(value, this.#mac)
    if (view?.order.order_id === orderId) {
      this.reads.hit++
      return { view, asked: true }
    }
    await this.#redis.dropView(this.#key(orderId), value)
    throw new Error('a view that no process of ours has written for this order, or not lately')
  }

  /**
   * Reads this value, and all others asked for in the same turn of the event loop, in one command. (Measured: a command a
   * view cost the api a quarter of its time a read.)
   * @returns null: there is none; undefined: Redis could not be asked
   */
  async #ask (key: string): Promise<string | null | undefined> {
    const place = this.#wanted.push(key) - 1
    this.#reading ??= new Promise((resolve) => setImmediate(() => {
      this.#reading = null
      resolve(this.#readAll(this.#wanted.splice(0)))
    }))
    return (await this.#reading)[place]
  }

  async #readAll (keys: string[]): Promise<ReadonlyArray<string | null>> {
    try {
      return await this.#redis.mget(keys)
    } catch (error) {
      this.#onFailure(error as Error)
      return []
    }
  }

  /**
   * Writes these views, and all others given in the same turn of the event loop, in one script call. (Measured: a call a
   * view cost the api 14 % of its time an order.)
   * @returns whether Redis took the call
   */
  async put (views: readonly ViewToPut[]): Promise<boolean> {
    if (views.length === 0) return true
    const at = Date.now()
    for (const { view, replaces, serialized } of views) this.#gathered.push({ view, replaces, serialized, at })
    this.#writing ??= new Promise((resolve) => setImmediate(() => {
      this.#writing = null
      resolve(this.#write(this.#gathered.splice(0)))
    }))
    return await this.#writing
  }

  async #write (views: readonly DatedView[]): Promise<boolean> {
    const persisted = views.filter(({ view }) => view.persisted)
    const pending = views.filter(({ view }) => !view.persisted)
    const [first, second] = await Promise.all([this.#call(persisted, PERSISTED_MS), this.#call(pending, UNPERSISTED_MS)])
    return first && second
  }

  /** One script call for views that live equally long. */
  async #call (views: readonly DatedView[], lifeMs: number): Promise<boolean> {
    if (views.length === 0) return true
    try {
      const keys = views.map(({ view }) => this.#key(view.order.order_id))
      const replaced = views.flatMap(({ replaces }, index) => replaces === undefined ? [] : [index + 1, replaces])
      await this.#redis.putOrderViews(keys.length, ...keys, lifeMs, ...views.map((view) => encode(view, this.#mac)), ...replaced)
      return true
    } catch (error) {
      this.#onFailure(error as Error)
      this.#missed.add(views)
      return false
    }
  }

  #key (orderId: string): string {
    return `${this.#prefix}order:${orderId}`
  }
}

function encode ({ view, serialized }: ViewToPut, mac: Mac | null): string {
  const head = `${String(rank(view)).padStart(RANK_DIGITS, '0')} ${view.event_id}`
  const body = `${Date.now()} ${view.persisted ? orderJson(view.order) : jsonOf(view, serialized)}`
  return `${head} ${mac?.sign(`${head} ${body}`) ?? '-'} ${body}`
}

function jsonOf ({ taken }: AcceptedView, last = serializeEvent(taken.at(-1)!)): string {
  if (taken.length === 1) return `[${last.json}]`
  return `[${[...taken.slice(0, -1).map((event) => serializeEvent(event).json), last.json].join(',')}]`
}

/** null for what is none, is not signed by us, or is a persisted view that outlived its life. */
function decode (value: string, mac: Mac | null): OrderView | null {
  const [, head, event_id, signature, body, written, json] = VALUE.exec(value) ?? []
  if (head === undefined || (mac && !mac.verifies(`${head} ${body}`, signature!))) return null
  const known = JSON.parse(json!) as Order | unknown[]
  if (!Array.isArray(known)) {
    const isLate = Date.now() - Number(written) > PERSISTED_MS + CLOCKS_APART_MS
    return isLate ? null : { order: known, event_id: event_id!, persisted: true }
  }
  const taken = known.map(fromEnvelope)
  const last = taken.at(-1)
  return last ? { order: last.order, event_id: event_id!, persisted: false, taken } : null
}
