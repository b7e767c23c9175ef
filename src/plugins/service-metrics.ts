import fp from 'fastify-plugin'
import { droppedLines } from '../logs/output-writer.js'

/** What every process tells of its backing services; read when it is asked for. */
export const serviceMetricsPlugin = fp(async (app) => {
  const { metrics, health } = app
  if (!metrics) return
  const pools = { requests: app.pg.pool, reserved: app.reservedPool }
  const ofPools = (read: (pool: typeof pools.reserved) => number) => () => Object.entries(pools).map(([pool, own]) => ({ labels: { pool }, value: read(own) }))

  metrics.gauge('comanda_service_up', '1 while the backing service answers; one that this process runs without is left out', () =>
    Object.entries(health.report()).filter(([, { state }]) => state !== 'off').map(([service, { state }]) => ({ labels: { service }, value: state === 'up' ? 1 : 0 })))

  metrics.gauge('comanda_broker_node', '1 for the node of the broker that this process is connected to', () => app.broker?.node ? [{ labels: { node: app.broker.node }, value: 1 }] : [])

  metrics.gauge('comanda_postgres_pool_busy_connections', 'Connections in use', ofPools(({ totalCount, idleCount }) => totalCount - idleCount))
  metrics.gauge('comanda_postgres_pool_idle_connections', 'Connections open and not in use', ofPools(({ idleCount }) => idleCount))
  metrics.gauge('comanda_postgres_pool_waiting_requests', 'Who waits for a connection', ofPools(({ waitingCount }) => waitingCount))
  metrics.gauge('comanda_postgres_pool_max_connections', 'Connections that it may open', ofPools(({ options }) => options.max))

  metrics.counter('comanda_log_lines_dropped_total', 'Log lines that its reader or its disk did not take', () => [{ value: droppedLines.count }])
}, { name: 'service-metrics', dependencies: ['metrics', 'health', 'postgres', 'amqp'] })
