import type { Redis } from 'ioredis'
import type { OrderEvent } from '../orders/event.js'
import { acceptedView, type FoundView, higher, persistedView } from '../orders/view.js'
import type { Mac } from '../secrets/mac.js'
import { MissedViews } from './missed-views.js'
import { defineViewScripts } from './view-scripts.js'
import type { DatedView, ViewToPut } from './view-to-put.js'
import { decode, encode, headOf, isMarkAlone, isMarked, PERSISTED_MS } from './view-value.js'

/** An unpersisted view may be the only thing a reader can see while a backlog is worked off. */
const UNPERSISTED_MS = 24 * 3_600_000

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
    defineViewScripts(redis)
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
    if (isMarkAlone(value)) {
      this.reads.miss++
      return { view: null, asked: true, booked: true }
    }
    const view = decode(value, this.#mac)
    if (view?.order.order_id === orderId) {
      this.reads.hit++
      return isMarked(value) ? { view, asked: true, booked: true } : { view, asked: true }
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

  /**
   * Says of these placements that they were booked: what the api shows of them is asked of the tables from now on, and is kept no
   * longer than a persisted view. Of a mark that is forged or lost nothing follows but a look at the tables, so none is signed.
   * (Measured: written anew by the worker, every view was made, signed and sent twice.)
   * @returns whether Redis took the call
   */
  async mark (placements: readonly OrderEvent[]): Promise<boolean> {
    if (placements.length === 0) return true
    const at = Date.now()
    try {
      const keys = placements.map(({ order }) => this.#key(order.order_id))
      await this.#redis.markOrderViews(keys.length, ...keys, PERSISTED_MS, ...placements.map((event) => headOf(acceptedView(event))))
      return true
    } catch (error) {
      this.#onFailure(error as Error)
      this.#missed.add(placements.map((event) => ({ view: persistedView(event), at })))
      return false
    }
  }

  async #write (views: readonly DatedView[]): Promise<boolean> {
    const firsts = views.filter(isFirst)
    const persisted = views.filter(({ view }) => view.persisted)
    const changed = views.filter((one) => !one.view.persisted && !isFirst(one))
    const taken = await Promise.all([
      this.#call(firsts, async (keys) => await this.#redis.putFirstViews(keys.length, ...keys, UNPERSISTED_MS, ...this.#valuesOf(firsts))),
      this.#call(persisted, async (keys) => await this.#put(keys, persisted, PERSISTED_MS)),
      this.#call(changed, async (keys) => await this.#put(keys, changed, UNPERSISTED_MS))
    ])
    return !taken.includes(false)
  }

  async #put (keys: string[], views: readonly DatedView[], lifeMs: number): Promise<void> {
    const replaced = views.flatMap(({ replaces }, index) => replaces === undefined ? [] : [index + 1, replaces])
    await this.#redis.putOrderViews(keys.length, ...keys, lifeMs, ...this.#valuesOf(views), ...replaced)
  }

  /** One script call for views of a kind. */
  async #call (views: readonly DatedView[], put: (keys: string[]) => Promise<unknown>): Promise<boolean> {
    if (views.length === 0) return true
    try {
      await put(views.map(({ view }) => this.#key(view.order.order_id)))
      return true
    } catch (error) {
      this.#onFailure(error as Error)
      this.#missed.add(views)
      return false
    }
  }

  #valuesOf (views: readonly DatedView[]): string[] {
    return views.map((view) => encode(view, this.#mac))
  }

  #key (orderId: string): string {
    return `${this.#prefix}order:${orderId}`
  }
}

/** Of a placement that is not persisted: the first that there can be of its order. */
function isFirst ({ view, replaces }: DatedView): boolean {
  return !view.persisted && replaces === undefined && view.taken.length === 1 && view.taken[0]!.base === null
}
