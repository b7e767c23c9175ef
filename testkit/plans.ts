import pg from 'pg'
import type { OrderFilter } from '../src/orders/page.js'
import { listOrders } from '../src/store/orders.js'

/** One node of a plan, as EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) tells it; rows are those of one loop. */
export interface PlanNode {
  'Node Type': string
  'Relation Name'?: string
  'Index Name'?: string
  'Actual Rows': number
  'Actual Loops': number
  'Rows Removed by Filter'?: number
  'Shared Hit Blocks': number
  'Shared Read Blocks': number
  Plans?: PlanNode[]
}

/**
 * Runs a list and tells how Postgres did it, outermost node first.
 * @param plan `generic`: made without knowing the values, as a prepared statement's is in the end
 */
export async function explainList (client: pg.ClientBase, filter: OrderFilter, plan: 'generic' | 'custom'): Promise<PlanNode[]> {
  const { text, values = [] } = await statementOf(filter)
  await client.query(`set plan_cache_mode = force_${plan}_plan; prepare list as ${text}`)
  const { rows } = await client.query<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(
    `explain (analyze, buffers, format json) execute list (${values.map(literal).join(', ')})`)
  await client.query('deallocate list; reset plan_cache_mode')
  return flat(rows[0]!['QUERY PLAN'][0].Plan)
}

/** What `listOrders` sends. */
async function statementOf (filter: OrderFilter): Promise<pg.QueryConfig> {
  let sent: pg.QueryConfig | undefined
  await listOrders({ query: async (statement: pg.QueryConfig) => { sent = statement; return { rows: [] } } } as never, filter)
  return sent!
}

function literal (value: unknown): string {
  return pg.escapeLiteral(Array.isArray(value) ? `{${value.join(',')}}` : String(value))
}

function flat (node: PlanNode): PlanNode[] {
  return [node, ...(node.Plans ?? []).flatMap(flat)]
}

/** Rows of `orders` that were read, whether they were wanted or not. */
export function rowsRead (nodes: readonly PlanNode[]): number {
  const read = nodes.filter((node) => node['Relation Name'] === 'orders')
  return read.reduce((sum, node) => sum + (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops'], 0)
}

/** Pages of 8 KiB that were looked at, in memory or not. */
export function pagesRead ([outermost]: readonly PlanNode[]): number {
  return outermost!['Shared Hit Blocks'] + outermost!['Shared Read Blocks']
}
