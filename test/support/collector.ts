import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'
import { eventually } from './eventually.js'

export interface SpanSeen {
  service: string
  name: string
  traceId: string
  spanId: string
  parentSpanId: string | undefined
  attributes: Record<string, string | number | undefined>
  links: Array<{ traceId: string, spanId: string }>
  status: { code?: number }
}

/** A collector of traces: OTLP over HTTP, spans read where they come as JSON. */
export interface Collector {
  url: string
  spans: SpanSeen[]
  /** Each request: its path, its content type, its body. */
  received: Array<{ path: string, type: string, body: Buffer }>
  /** The first span that fits, as soon as it is there. */
  seen (name: string, fits?: (span: SpanSeen) => boolean): Promise<SpanSeen>
}

interface Attribute { key: string, value: { stringValue?: string, intValue?: number | string } }
interface Otlp {
  resourceSpans: Array<{ resource: { attributes: Attribute[] }, scopeSpans: Array<{ spans: Array<Omit<SpanSeen, 'attributes' | 'service'> & { attributes: Attribute[] }> }> }>
}

export async function openCollector (t: Test): Promise<Collector> {
  const [spans, received]: [SpanSeen[], Collector['received']] = [[], []]
  const server = createServer((request, response) => {
    void request.toArray().then((chunks: Buffer[]) => {
      const [body, type] = [Buffer.concat(chunks), request.headers['content-type']!]
      received.push({ path: request.url!, type, body })
      if (type === 'application/json') spans.push(...spansOf(JSON.parse(body.toString())))
      response.writeHead(200, { 'content-type': type }).end(type === 'application/json' ? '{}' : '')
    })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    received,
    seen: async (name, fits = () => true) => await eventually(`a span "${name}"`, () => spans.find((span) => span.name === name && fits(span)))
  }
}

function spansOf ({ resourceSpans }: Otlp): SpanSeen[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const service = String(plain(resource.attributes)['service.name'])
    return scopeSpans.flatMap(({ spans }) => spans.map((span) => ({ ...span, service, attributes: plain(span.attributes), links: span.links ?? [] })))
  })
}

function plain (attributes: Attribute[]): SpanSeen['attributes'] {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, value.stringValue ?? (value.intValue === undefined ? undefined : Number(value.intValue))]))
}
