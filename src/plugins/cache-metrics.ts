import fp from 'fastify-plugin'

/** What a process tells of its cache; read when it is asked for. */
export const cacheMetricsPlugin = fp(async (app) => {
  const { metrics, views, cacheFailures } = app
  metrics?.counter('comanda_cache_reads_total', 'Order views asked of Redis', () =>
    Object.entries(views?.reads ?? {}).map(([result, value]) => ({ labels: { result }, value })))
  metrics?.counter('comanda_cache_failures_total', 'Calls that Redis did not take or answer in time', () =>
    Object.entries(cacheFailures).map(([kind, value]) => ({ labels: { kind }, value })))
}, { name: 'cache-metrics', dependencies: ['metrics', 'redis'] })
