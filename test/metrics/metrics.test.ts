import t from 'tap'
import { Histogram } from '../../src/metrics/histogram.js'
import { Metrics } from '../../src/metrics/metrics.js'
import { samplesOf, valueOf } from '../support/scrape.js'

t.test('a bucket holds what is not above its bound, and all that lower ones hold', async (t) => {
  const histogram = new Histogram([1, 10])
  for (const value of [0, 1, 1.5, 10, 11]) histogram.observe(value)
  t.strictSame(histogram.readings('size', { kind: 'a' }), [
    { metricName: 'size_bucket', labels: { kind: 'a', le: '1' }, value: 2 },
    { metricName: 'size_bucket', labels: { kind: 'a', le: '10' }, value: 4 },
    { metricName: 'size_bucket', labels: { kind: 'a', le: '+Inf' }, value: 5 },
    { metricName: 'size_sum', labels: { kind: 'a' }, value: 23.5 },
    { metricName: 'size_count', labels: { kind: 'a' }, value: 5 }
  ])
})

t.test('the text names, explains and types each metric, and reads it when it is asked for', async (t) => {
  const metrics = new Metrics()
  let things = 1
  metrics.counter('things_total', 'All things', () => [{ labels: { colour: 'red' }, value: things }])
  metrics.gauge('depth', 'How deep', async () => [{ value: 0.5 }])
  metrics.histograms('wait_seconds', 'How long', [1])({ queue: 'a' }).observe(2)
  things = 7
  const text = await metrics.text()
  t.match(text, '# HELP things_total All things\n# TYPE things_total counter\nthings_total{colour="red"} 7\n')
  t.match(text, '# TYPE depth gauge\ndepth 0.5\n')
  t.match(text, '# TYPE wait_seconds histogram\n')
  t.equal(valueOf(samplesOf(text), 'wait_seconds_bucket', { queue: 'a', le: '1' }), 0)
  t.equal(valueOf(samplesOf(text), 'wait_seconds_bucket', { queue: 'a', le: '+Inf' }), 1)
})

t.test('two of one name are refused', async (t) => {
  const metrics = new Metrics()
  metrics.gauge('depth', 'How deep', () => [])
  t.throws(() => metrics.counter('depth', 'How deep', () => []), /depth/)
})

t.test('what the process itself is told stands once in a text, whoever else was built in it', async (t) => {
  const [one, other] = [new Metrics(), new Metrics()]
  for (const metrics of [one, other]) {
    const names = samplesOf(await metrics.text()).map(({ name }) => name)
    for (const name of ['process_resident_memory_bytes', 'nodejs_eventloop_lag_p99_seconds']) t.equal(names.filter((own) => own === name).length, 1, name)
  }
})
