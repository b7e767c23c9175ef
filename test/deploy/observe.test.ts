import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import t from 'tap'
import { parse } from 'yaml'
import { startApi, startRelay, startWorker } from '../support/apps.js'
import { compose } from '../support/compose.js'
import { eventually } from '../support/eventually.js'
import { newcomer, place as placeOrder } from '../support/people.js'
import { needs, openPlace } from '../support/place.js'
import { readQuery } from '../support/promql.js'
import { type Sample, scrape, valueOf } from '../support/scrape.js'

interface Rule { alert?: string, record?: string, expr: string, for?: string, labels?: Record<string, string>, annotations?: Record<string, string> }
interface Panel { id: number, type: string, title: string, targets?: Array<{ expr: string, legendFormat: string, datasource: { uid: string } }> }
interface Scrape { job_name: string, dns_sd_configs: Array<{ names: string[], port: number }> }

const yamlFile = <T>(path: string) => parse(readFileSync(path, 'utf8'), { merge: true }) as T
const RULES = 'deploy/prometheus/alerts.yml'
const rules = yamlFile<{ groups: Array<{ name: string, rules: Rule[] }> }>(RULES).groups.flatMap((group) => group.rules)
const alerts = rules.flatMap(({ alert, ...rule }) => alert ? [{ alert, ...rule }] : [])
const dashboard = JSON.parse(readFileSync('deploy/grafana/dashboards/comanda.json', 'utf8')) as { panels: Panel[] }
const { scrape_configs: scrapes, rule_files: ruleFiles } = yamlFile<{ scrape_configs: Scrape[], rule_files: string[] }>('deploy/prometheus/prometheus.yml')
const place = await openPlace(t)

/** What Prometheus adds to every sample. */
const ADDED = ['job', 'instance']

/** Told only where the management API is asked: test/faults/broker-cluster.test.ts sees them. */
const OF_A_CLUSTER = ['comanda_queue_leader', 'comanda_queue_members']

/** All that api, worker and relay show once an order went through them. */
async function shown (): Promise<Sample[]> {
  const [api, worker, relay] = [await startApi(t, place), await startWorker(t, place), await startRelay(t, place)]
  await placeOrder(api, await newcomer(api))
  await eventually('it is booked', async () => valueOf(await scrape(worker), 'comanda_order_events_booked_total', { outcome: 'applied' }))
  await eventually('every source was looked at', async () => (await scrape(worker)).filter(({ name }) => name === 'comanda_backlog_ready').length === 3)
  return [...await scrape(api), ...await scrape(worker), ...await scrape(relay), ...scrapes.map(({ job_name: job }) => ({ name: 'up', labels: { job }, value: 1 }))]
}

t.test('every metric, label and fixed value that alerts and dashboard name is there', needs('redis', 'rabbitmq'), async (t) => {
  const samples = await shown()
  const told = new Set([...readFileSync('docs/metrics.md', 'utf8').matchAll(/`(comanda_\w+)`/g)].map(([, name]) => name!))
  const families = new Set(samples.map(({ name }) => name.replace(/_(bucket|sum|count)$/, '')).filter((name) => name.startsWith('comanda_')))
  t.strictSame([...families, ...OF_A_CLUSTER].sort(), [...told].sort(), 'docs/metrics.md tells them all and no others')
  const recorded = rules.flatMap(({ record }) => record ?? [])
  const legends = dashboard.panels.flatMap(({ targets = [] }) => targets)
  const queries = [...rules.map(({ expr }) => expr), ...legends.map(({ expr }) => expr)]
  t.ok(queries.length > 40)
  for (const query of queries) {
    const { metrics, labels, equal } = readQuery(query)
    const own = metrics.filter((name) => !recorded.includes(name))
    t.ok(metrics.length > 0 || query.startsWith('vector('), `${query} names something`)
    for (const name of own) t.ok(samples.some((sample) => sample.name === name), `${name} in ${query}`)
    const labelled = samples.filter(({ name }) => own.includes(name))
    for (const label of labels) t.ok(ADDED.includes(label) || labelled.some((sample) => label in sample.labels), `${label} in ${query}`)
    for (const [label, value] of equal) t.ok(labelled.some((sample) => sample.labels[label] === value), `${label}="${value}" in ${query}`)
  }
  for (const { expr, legendFormat } of legends) {
    for (const [, label] of legendFormat.matchAll(/\{\{(\w+)\}\}/g)) {
      t.ok(readQuery(expr).labels.includes(label!) || ADDED.includes(label!), `the legend ${legendFormat} of ${expr}`)
    }
  }
})

t.test('an expression is read for what it names', async (t) => {
  t.strictSame(readQuery('sum by (le, path) (rate(a_total{type="x", status=~"5.."}[5m])) / max(b:c) > 14.4 * 0.001 and on (job) d'), {
    metrics: ['a_total', 'b:c', 'd'], labels: ['type', 'status', 'le', 'path', 'job'], equal: [['type', 'x']]
  })
})

t.test('every alert says how bad it is, what it means and what to do', async (t) => {
  t.ok(alerts.length >= 8)
  t.equal(new Set(alerts.map(({ alert }) => alert)).size, alerts.length)
  for (const { alert, for: wait, labels, annotations } of alerts) {
    t.match(alert, /^Comanda[A-Z]\w+$/)
    t.match(wait, /^\d+m$/, alert)
    t.match(labels?.severity, /^(page|ticket)$/, alert)
    for (const text of [annotations?.summary, annotations?.action]) t.match(text, /^.{20,}/, alert)
  }
  for (const { record } of rules.filter((rule) => rule.record)) t.match(record, /^comanda:\w+:\w+$/)
})

t.test('the dashboard has its four rows, and every panel a name, a number and the provisioned source', async (t) => {
  const { datasources: [source] } = yamlFile<{ datasources: [{ uid: string, url: string }] }>('deploy/grafana/provisioning/datasources/prometheus.yml')
  t.equal(source.url, 'http://prometheus:9090')
  t.strictSame(dashboard.panels.filter(({ type }) => type === 'row').map(({ title }) => title), ['Is it working', 'How fast', 'How deep', 'What is stuck'])
  t.equal(new Set(dashboard.panels.map(({ id }) => id)).size, dashboard.panels.length)
  for (const { type, title, targets = [] } of dashboard.panels) {
    t.ok(title)
    if (type !== 'row') t.ok(targets.length > 0, title)
    for (const { datasource } of targets) t.equal(datasource.uid, source.uid, title)
  }
})

t.test('Prometheus scrapes the services of the compose file where they serve metrics, and reads the rules', async (t) => {
  t.strictSame(scrapes.map(({ job_name: job }) => job), ['comanda-api', 'comanda-worker', 'comanda-relay'])
  for (const { dns_sd_configs: [target] } of scrapes) {
    const service = compose.services[target!.names[0]!]
    t.equal(service?.environment?.OPS_PORT, target!.port)
    t.notOk(service?.ports?.some((port) => port.endsWith(`:${target!.port}`)), 'not reached from outside')
  }
  t.strictSame(ruleFiles, ['alerts.yml'])
})

t.test('the profile observe starts both with these files, pinned, and reached from this machine only', async (t) => {
  const observing = Object.entries(compose.services).filter(([, { profiles }]) => profiles?.includes('observe'))
  t.strictSame(observing.map(([name]) => name), ['prometheus', 'grafana'])
  for (const [name, { image, ports = [], volumes = [] }] of observing) {
    t.match(image, /:v?\d+\.\d+\.\d+$/, name)
    for (const port of ports) t.match(port, /^127\.0\.0\.1:\d+:\d+$/, name)
    for (const [from] of volumes.map((volume) => String(volume).split(':'))) t.ok(from!.startsWith('./') ? existsSync(from!) : from! in compose.volumes, from!)
  }
  const { environment = {}, volumes = [] } = compose.services.grafana!
  t.match(environment.GF_SECURITY_ADMIN_PASSWORD, /^\$\{GRAFANA_PASSWORD:\?/)
  const { providers: [provider] } = yamlFile<{ providers: [{ options: { path: string } }] }>('deploy/grafana/provisioning/dashboards/comanda.yml')
  t.ok(volumes.some((volume) => String(volume).split(':')[1] === provider.options.path), 'the dashboard lies where it is looked for')
})

t.test('promtool, where there is one, accepts configuration and rules', async (t) => {
  const promtool = (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, 'promtool')).find((file) => existsSync(file))
  if (!promtool) return t.comment('there is none on this machine')
  t.match(execFileSync(promtool, ['check', 'config', 'deploy/prometheus/prometheus.yml'], { encoding: 'utf8' }), /SUCCESS/)
})
