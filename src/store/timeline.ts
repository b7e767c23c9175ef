import { DATASCHEMA, serializeEvent } from '../orders/envelope.js'
import type { OrderEvent } from '../orders/event.js'
import { confirmed, type Order } from '../orders/order.js'
import type { TimelineEnd, TimelineEntry } from '../orders/timeline.js'
import { type Client, run } from './database.js'

interface EntryRow extends Omit<TimelineEntry, 'reason' | 'order'> {
  reason: string | null
  data: Order
}

/**
 * An order's events by version: recorded ones, those still in the fallback queue, and `taken` ones that neither holds yet.
 * Recorded ones are read by outcome because that is how they are indexed.
 */
export async function listOrderEvents (client: Client, orderId: string, taken: readonly OrderEvent[], { limit, after }: { limit: number, after: TimelineEnd | undefined }): Promise<TimelineEntry[]> {
  const rows = await run<EntryRow>(client, 'list_order_events', `
    with recorded as (
      select * from order_events where order_id = $1 and outcome = 'applied'
      union all
      select * from order_events where order_id = $1 and outcome <> 'applied'
    ), pending as (
      select event from fallback_queue where order_id = $1 and event ->> 'dataschema' = $6
      union
      select value from jsonb_array_elements($5::jsonb)
    )
    select event_id, type, version, base, outcome, reason, occurred_at, recorded_at, request_id, actor, data from recorded
    where (version, event_id) > ($2, $3)
    union all
    select distinct on (event_id) event_id, event ->> 'type', version, (event -> 'data' ->> 'base')::uuid, 'accepted', null,
      (event ->> 'time')::timestamptz, null, event ->> 'requestid', event ->> 'actor', event -> 'data'
    from pending, lateral (select (event ->> 'id')::uuid as event_id, (event -> 'data' ->> 'version')::integer as version) as named
    where (version, event_id) > ($2, $3) and event_id not in (select event_id from recorded)
    order by version, event_id limit $4`,
  [orderId, after?.version ?? 0, after?.event_id ?? '00000000-0000-0000-0000-000000000000', limit, `[${taken.map((event) => serializeEvent(event).json).join(',')}]`, DATASCHEMA])
  return rows.map(entry)
}

function entry ({ data, reason, ...row }: EntryRow): TimelineEntry {
  const { item_description, item_quantity, item_price, total_value, status } = row.outcome === 'applied' ? confirmed(data) : data
  return { ...row, ...(reason === null ? {} : { reason }), order: { item_description, item_quantity, item_price, total_value, status } }
}
