import { type Client, run } from './database.js'

/** The ways out that tell the feed by themselves. */
export type CursorName = 'exchange' | 'webhooks'

/**
 * How far a way out has told the feed; one process tells it at a time.
 *
 *   free --lease--> held --move: told up to here, leased anew--> held
 *                    |  \--release, or the lease runs out--> free
 *                    \--rewound by an operator: the holder's next move is refused, and it begins anew from there
 */
export interface Cursor {
  name: CursorName
  position: number
  /** null: no process tells it */
  holder: string | null
}

/** Leases a cursor, or prolongs the own lease of it. @returns up to where it was told; null: another process holds it */
export async function leaseCursor (client: Client, { name, holder, leaseMs }: { name: CursorName, holder: string, leaseMs: number }): Promise<number | null> {
  const rows = await run<{ position: number }>(client, 'lease_cursor', `
    update feed_cursors set holder = $2, leased_until = clock_timestamp() + $3 * interval '1 ms'
    where name = $1 and (holder is null or holder = $2 or leased_until < clock_timestamp())
    returning position`, [name, holder, leaseMs])
  return rows[0]?.position ?? null
}

/** @returns false: it is no longer this holder's, or is elsewhere than this holder believes */
export async function moveCursor (client: Client, { name, holder, from, to, leaseMs }: { name: CursorName, holder: string, from: number, to: number, leaseMs: number }): Promise<boolean> {
  const rows = await run(client, 'move_cursor', `
    update feed_cursors set position = $4, leased_until = clock_timestamp() + $5 * interval '1 ms'
    where name = $1 and holder = $2 and position = $3
    returning name`, [name, holder, from, to, leaseMs])
  return rows.length > 0
}

/** Another process need not wait for the lease to run out. */
export async function releaseCursor (client: Client, name: CursorName, holder: string): Promise<void> {
  await run(client, 'release_cursor', 'update feed_cursors set holder = null, leased_until = null where name = $1 and holder = $2', [name, holder])
}

/** Has everything behind this position told again, or what stands before it not at all. @returns where it was; null: there is no such cursor */
export async function rewindCursor (client: Client, name: CursorName, to: number): Promise<number | null> {
  const rows = await run<{ before: number }>(client, 'rewind_cursor', `
    with before as (select position from feed_cursors where name = $1 for update)
    update feed_cursors set position = $2 from before where name = $1 returning before.position as before`, [name, to])
  return rows[0]?.before ?? null
}

export interface CursorStatus extends Cursor {
  /** Events that are not told yet, counted to 100,000. */
  lag: number
  /** How long ago the oldest of them was settled, seconds; null where there is none. */
  lag_seconds: number | null
}

/** What is not told yet. A lease that has run out is none. */
export async function cursorStatus (client: Client): Promise<CursorStatus[]> {
  return await run<CursorStatus>(client, 'cursor_status', `
    select name, position, case when leased_until >= clock_timestamp() then holder end as holder,
      (select count(*)::integer from (select from order_events where order_events.position > feed_cursors.position limit 100000) as untold) as lag,
      (select extract(epoch from clock_timestamp() - recorded_at)::float8 from order_events
        where order_events.position > feed_cursors.position order by order_events.position limit 1) as lag_seconds
    from feed_cursors order by name`, [])
}
