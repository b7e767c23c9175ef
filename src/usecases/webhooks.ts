import { actorOf, type Actor, type Requester } from '../users/actions.js'
import type { Caller } from '../users/roles.js'
import { type EndpointPolicy, faultOfEndpoint } from '../webhooks/endpoint-url.js'
import { type Delivery, type DeliveryState, type Endpoint, type EndpointDraft, PING } from '../webhooks/endpoint.js'
import { WebhookError } from '../webhooks/errors.js'
import { deliveryBefore, endpointBefore, toDeliveryPage, toEndpointPage } from '../webhooks/page.js'
import type { Page } from '../orders/page.js'
import { newSecret } from '../webhooks/signing.js'

/** Endpoints and deliveries as stored, each change with its action. null: there is none such, unless said otherwise. @throws StoreError */
export interface WebhooksPort {
  /** null: the user has as many as `most` */
  create (endpoint: { webhook_id: string, user_id: number, url: string, description: string | null, types: string[] | null, secret: string, most: number }, by: Requester): Promise<Endpoint | null>
  list (page: { user_id?: number | undefined, after?: string | undefined, limit: number }): Promise<Endpoint[]>
  find (webhookId: string): Promise<Endpoint | null>
  change (webhookId: string, change: Partial<EndpointDraft> & { enabled?: boolean | undefined, reason: 'owner' | 'operator' }, by: Actor): Promise<Endpoint | null>
  remove (webhookId: string, by: Requester): Promise<true | null>
  /** `until`: ISO 8601, how long the one before signs too */
  rotate (webhookId: string, secret: { sealed: string, until: string, most: number }, by: Requester): Promise<true | null>
  ping (webhookId: string, ping: { message_id: string, type: string }, by: Actor): Promise<Delivery>
  deliveries (page: { webhook_id: string, state?: DeliveryState | undefined, before?: number | undefined, limit: number }): Promise<Delivery[]>
  delivery (webhookId: string, deliveryId: number): Promise<Delivery | null>
  replayDelivery (webhookId: string, deliveryId: number, by: Actor): Promise<Delivery | null>
  /** null: a part is being told again already */
  replay (webhookId: string, part: { after: number, before: number | null }, by: Actor): Promise<Endpoint | null>
  /** The highest position that was ever drawn. */
  highest (): Promise<number>
}

export interface WebhooksOptions {
  store: WebhooksPort
  policy: EndpointPolicy
  /** Whether the name of a URL leads to an address that is not allowed; null: it leads nowhere now. */
  leadsAstray (url: string): Promise<boolean | null>
  /** For the database. */
  seal (webhookId: string, secret: string): string
  newId (): string
}

const MOST_ENDPOINTS = 20
/** Of one endpoint, at once. */
const MOST_SECRETS = 4
const OVERLAP_MS = 24 * 3600_000

export interface Registered {
  endpoint: Endpoint
  /** Why nothing may arrive, though it is registered. */
  warning: string | null
}

/** Registers endpoints, shows and changes them, has events delivered again. A customer knows their own, an operator all; where one leads is its owner's. */
export class Webhooks {
  readonly #options: WebhooksOptions

  constructor (options: WebhooksOptions) {
    this.#options = options
  }

  /** @throws WebhookError `bad_endpoint`, `too_many_webhooks` */
  async create ({ url, description = null, types = null }: EndpointDraft, by: Requester): Promise<Registered & { secret: string }> {
    const { store, seal, newId } = this.#options
    this.#check(url)
    const warning = await this.#warningOf(url)
    const webhook_id = newId()
    const secret = newSecret()
    const endpoint = await store.create({ webhook_id, user_id: by.user_id, url, description, types, secret: seal(webhook_id, secret), most: MOST_ENDPOINTS }, by)
    if (!endpoint) throw new WebhookError('too_many_webhooks')
    return { endpoint, secret, warning }
  }

  /** Newest first. @throws WebhookError `bad_cursor` */
  async list ({ limit, cursor }: { limit: number, cursor?: string | undefined }, caller: Caller): Promise<Page<Endpoint>> {
    const after = cursor === undefined ? undefined : endpointBefore(cursor)
    if (after === null) throw new WebhookError('bad_cursor')
    const page = toEndpointPage(await this.#options.store.list({ user_id: caller.role === 'operator' ? undefined : caller.user_id, after, limit: limit + 1 }), limit)
    return { ...page, items: page.items.map((endpoint) => shown(endpoint, caller)) }
  }

  /** @throws WebhookError `webhook_not_found` */
  async find (webhookId: string, caller: Caller): Promise<Endpoint> {
    return shown(await this.#visible(webhookId, caller), caller)
  }

  /** @throws WebhookError `webhook_not_found`, `endpoint_owner_only`, `bad_endpoint` */
  async change (webhookId: string, change: Partial<EndpointDraft> & { enabled?: boolean | undefined }, by: Requester): Promise<Registered> {
    const { user_id } = await this.#visible(webhookId, by)
    const isOwner = user_id === by.user_id
    if (!isOwner && (change.url !== undefined || change.types !== undefined || change.description !== undefined)) throw new WebhookError('endpoint_owner_only')
    if (change.url !== undefined) this.#check(change.url)
    const warning = change.url === undefined ? null : await this.#warningOf(change.url)
    const endpoint = await this.#options.store.change(webhookId, { ...change, reason: isOwner ? 'owner' : 'operator' }, actorOf(by))
    return { endpoint: shown(found(endpoint), by), warning }
  }

  /** @throws WebhookError `webhook_not_found` */
  async remove (webhookId: string, by: Requester): Promise<void> {
    await this.#visible(webhookId, by)
    found(await this.#options.store.remove(webhookId, by))
  }

  /** The secret before signs too, for a day. @returns the new one @throws WebhookError `webhook_not_found`, `endpoint_owner_only` */
  async rotate (webhookId: string, by: Requester): Promise<string> {
    const { store, seal } = this.#options
    await this.#own(webhookId, by)
    const secret = newSecret()
    found(await store.rotate(webhookId, { sealed: seal(webhookId, secret), until: new Date(Date.now() + OVERLAP_MS).toISOString(), most: MOST_SECRETS }, by))
    return secret
  }

  /** A test call, to a disabled one too; it is made once. @throws WebhookError `webhook_not_found`, `endpoint_owner_only` */
  async test (webhookId: string, by: Requester): Promise<Delivery> {
    await this.#own(webhookId, by)
    return await this.#options.store.ping(webhookId, { message_id: this.#options.newId(), type: PING }, actorOf(by))
  }

  /** Newest first. @throws WebhookError `webhook_not_found`, `bad_cursor` */
  async deliveries (webhookId: string, { state, limit, cursor }: { state?: DeliveryState | undefined, limit: number, cursor?: string | undefined }, caller: Caller): Promise<Page<Delivery>> {
    await this.#visible(webhookId, caller)
    const before = cursor === undefined ? undefined : deliveryBefore(cursor)
    if (before === null) throw new WebhookError('bad_cursor')
    return toDeliveryPage(await this.#options.store.deliveries({ webhook_id: webhookId, state, before, limit: limit + 1 }), limit)
  }

  /** @throws WebhookError `webhook_not_found`, `delivery_not_found` */
  async delivery (webhookId: string, deliveryId: number, caller: Caller): Promise<Delivery> {
    await this.#visible(webhookId, caller)
    return foundDelivery(await this.#options.store.delivery(webhookId, deliveryId))
  }

  /** One that is due already stays as it is. @throws WebhookError `webhook_not_found`, `delivery_not_found` */
  async replayDelivery (webhookId: string, deliveryId: number, by: Requester): Promise<Delivery> {
    await this.#visible(webhookId, by)
    return foundDelivery(await this.#options.store.replayDelivery(webhookId, deliveryId, actorOf(by)))
  }

  /** Everything behind one position and before another, up to now if there is none. @throws WebhookError `webhook_not_found`, `replay_running`, `bad_cursor` */
  async replay (webhookId: string, { after, before }: { after: number, before?: number | undefined }, by: Requester): Promise<Endpoint> {
    const { store } = this.#options
    await this.#visible(webhookId, by)
    if (after > await store.highest()) throw new WebhookError('bad_cursor')
    const endpoint = await store.replay(webhookId, { after, before: before === undefined ? null : Math.max(before - 1, after) }, actorOf(by))
    if (!endpoint) throw new WebhookError('replay_running')
    return shown(endpoint, by)
  }

  #check (url: string): void {
    const detail = faultOfEndpoint(url, this.#options.policy)
    if (detail !== null) throw new WebhookError('bad_endpoint', { fault: { member: 'url', detail } })
  }

  async #warningOf (url: string): Promise<string | null> {
    const astray = await this.#options.leadsAstray(url)
    if (astray === false) return null
    return astray === null ? 'No server knows this name now: nothing is delivered until one does.' : 'This name leads to an address that is not public: nothing is delivered while it does.'
  }

  async #visible (webhookId: string, { user_id, role }: Caller): Promise<Endpoint> {
    const endpoint = found(await this.#options.store.find(webhookId))
    if (endpoint.user_id !== user_id && role !== 'operator') throw new WebhookError('webhook_not_found')
    return endpoint
  }

  async #own (webhookId: string, caller: Caller): Promise<void> {
    const { user_id } = await this.#visible(webhookId, caller)
    if (user_id !== caller.user_id) throw new WebhookError('endpoint_owner_only')
  }
}

/** The path of a URL may be as good as a password: of others' endpoints only where they lead is shown. */
function shown (endpoint: Endpoint, { user_id }: Caller): Endpoint {
  return endpoint.user_id === user_id ? endpoint : { ...endpoint, url: new URL(endpoint.url).origin }
}

function found<T> (endpoint: T | null): T {
  if (endpoint === null) throw new WebhookError('webhook_not_found')
  return endpoint
}

function foundDelivery (delivery: Delivery | null): Delivery {
  if (!delivery) throw new WebhookError('delivery_not_found')
  return delivery
}
