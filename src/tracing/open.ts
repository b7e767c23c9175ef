import { type ExportResult, ExportResultCode } from '@opentelemetry/core'
import { OTLPTraceExporter as JsonExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { OTLPTraceExporter as ProtobufExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import { detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources'
import { BasicTracerProvider, BatchSpanProcessor, type ReadableSpan, type SpanExporter } from '@opentelemetry/sdk-trace-base'
import { Traces } from './traces.js'

export interface TracesOptions {
  protocol: 'http/protobuf' | 'http/json'
  /** Where OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES say no other. */
  service: { name: string, version: string }
  /** The collector began to refuse or to take spans. @param failure null: it takes them again */
  onChange (failure: Error | null): void
}

/** Endpoint, sampler, limits and times are read from OTEL_* by the SDK itself, as the specification names them. Nothing global is set. */
export function openTraces ({ protocol, service, onChange }: TracesOptions): Traces {
  const exporter = protocol === 'http/json' ? new JsonExporter() : new ProtobufExporter()
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ 'service.name': service.name, 'service.version': service.version }).merge(detectResources({ detectors: [envDetector] })),
    spanProcessors: [new BatchSpanProcessor(new ReportedExporter(exporter, onChange))]
  })
  return new Traces(provider.getTracer('comanda', service.version), async () => await provider.shutdown())
}

/** Tells once when spans are no longer taken, and once when they are again: the SDK does not tell. */
class ReportedExporter implements SpanExporter {
  readonly #exporter: SpanExporter
  readonly #onChange: TracesOptions['onChange']
  #failing = false

  constructor (exporter: SpanExporter, onChange: TracesOptions['onChange']) {
    this.#exporter = exporter
    this.#onChange = onChange
  }

  export (spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    this.#exporter.export(spans, (result) => {
      const failing = result.code !== ExportResultCode.SUCCESS
      if (failing !== this.#failing) this.#onChange(failing ? result.error ?? new Error('no reason given') : null)
      this.#failing = failing
      done(result)
    })
  }

  async forceFlush (): Promise<void> {
    await this.#exporter.forceFlush?.()
  }

  async shutdown (): Promise<void> {
    await this.#exporter.shutdown()
  }
}
